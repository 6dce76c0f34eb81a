import Bridge
import ClientContract
import Metering
import UpstreamDriver

/// Counts what a driver is asked and what comes of it.
struct MeteredDriver: UpstreamDriver {
    let driver: any UpstreamDriver
    let meter: TenantMeter

    var capabilities: Capabilities { driver.capabilities }

    func question(for term: SearchTerm, attempt: Int) -> SearchQuestion? {
        driver.question(for: term, attempt: attempt)
    }

    func page(_ request: PageRequest, _ context: CallContext) async throws(UpstreamError) -> ClientPage {
        try await metered(.list) { () async throws(UpstreamError) in try await driver.page(request, context) }
    }

    func candidates(
        for term: SearchTerm, attempt: Int, _ request: PageRequest, _ context: CallContext
    ) async throws(UpstreamError) -> ClientPage {
        try await metered(.search) { () async throws(UpstreamError) in
            try await driver.candidates(for: term, attempt: attempt, request, context)
        }
    }

    func client(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Client {
        try await metered(.get) { () async throws(UpstreamError) in try await driver.client(id, context) }
    }

    func create(_ draft: ClientDraft, _ context: CallContext) async throws(UpstreamError) -> WriteAnswer {
        try await metered(.create) { () async throws(UpstreamError) in try await driver.create(draft, context) }
    }

    func update(
        _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
    ) async throws(UpstreamError) -> WriteAnswer {
        try await metered(.update) { () async throws(UpstreamError) in try await driver.update(id, patch, context) }
    }

    private func metered<Value>(
        _ operation: SystemOperation, _ call: () async throws(UpstreamError) -> Value
    ) async throws(UpstreamError) -> Value {
        let began = ContinuousClock.now
        do {
            let value = try await call()
            meter.callEnded(operation, .ok, after: .now - began)
            return value
        } catch {
            let isAboutClient = operation == .get || operation == .update
            let outcome: Outcome =
                if case .cancelled = error { .callerGone } else {
                    .error(ContractError.Code(error, aboutClient: isAboutClient))
                }
            meter.callEnded(operation, outcome, after: .now - began)
            throw error
        }
    }
}
