import Bridge
import ClientContract
import Idempotency
import Testing
import UpstreamDriver

/// What a caller's Idempotency-Key means (draft-ietf-httpapi-idempotency-key-header, section 2).
@Suite(.timeLimit(.minutes(1))) struct IdempotencyKeyTests {
    /// Creates are never found: only the key tells that one was made.
    private func clinic() -> ModelClinic { ModelClinic([], .model(searches: [])) }

    private func bridge(_ clinic: ModelClinic, _ action: BridgeOptions.DuplicateAction = .create) -> Bridge {
        Bridge(driver: clinic, options: BridgeOptions(onDuplicate: action))
    }

    private func ana(_ name: String = "Ana Teste") throws -> ClientDraft {
        ClientDraft(name: name, phone: try phone("5511988887777"), email: "ana@example.test")
    }

    @Test("the same request again is answered with the client, as it is now")
    func again() async throws {
        let clinic = clinic()
        let bridge = bridge(clinic)
        #expect(try await bridge.create(ana(), key: "k", soon()).id.text == "new-0")
        clinic.set { $0.people[0].name = "Ana Exemplo" }
        let again = try await bridge.create(ana(), key: "k", soon())
        #expect(again.id.text == "new-0")
        #expect(again.name == "Ana Exemplo")
        #expect(clinic.calls == [.create, .client("new-0")])
        // Another key is another request.
        #expect(try await bridge.create(ana(), key: "l", soon()).id.text == "new-1")
    }

    @Test("a client that is not shown is answered as it was written")
    func invisible() async throws {
        let clinic = clinic()
        let bridge = bridge(clinic)
        _ = try await bridge.create(ana(), key: "k", soon())
        clinic.set { $0.invisible = ["new-0"] }
        #expect(try await bridge.create(ana(), key: "k", soon()).email == "ana@example.test")
        clinic.set { $0.detailFailure = .failed(status: 500, "it") }
        #expect(await failure { try await bridge.create(ana(), key: "k", soon()) }?.code == .upstreamFailed)
        #expect(clinic.calls.count { $0 == .create } == 1)
    }

    @Test("another request with the key is refused")
    func otherRequest() async throws {
        let clinic = clinic()
        let bridge = bridge(clinic)
        _ = try await bridge.create(ana(), key: "k", soon())
        for draft in [try ana("Ana Exemplo"), ClientDraft(name: "Ana Teste", phone: try phone("5511988887777"))] {
            #expect(await failure { try await bridge.create(draft, key: "k", soon()) }?.code == .keyReused)
        }
        #expect(clinic.calls == [.create])
    }

    @Test("an answer that stands is kept, one that may be another next time is not")
    func failures() async throws {
        for (error, code, isKept) in [
            (UpstreamError.refused(reasons: ["falta"]), ContractError.Code.refused, true),
            (.rateLimited(retryAfter: 1), .rateLimited, false), (.saturated(retryAfter: nil), .saturated, false),
            (.unreachable("nobody"), .upstreamUnreachable, false), (.timeout, .deadline, false),
            (.credentialsRejected("login"), .upstreamCredentials, false),
        ] {
            let clinic = clinic()
            let bridge = bridge(clinic)
            clinic.set { $0.creation = .fails(error) }
            #expect(await failure { try await bridge.create(ana(), key: "k", soon()) }?.code == code)
            clinic.set { $0.creation = .record }
            let second = await failure { try await bridge.create(ana(), key: "k", soon()) }
            #expect(second?.code == (isKept ? code : nil), "\(code)")
            #expect(clinic.calls.count { $0 == .create } == (isKept ? 1 : 2), "\(code)")
        }
    }

    @Test("an unknown outcome keeps the key: the same request looks, and is not sent")
    func unknown() async throws {
        let clinic = ModelClinic([], .model())
        let bridge = bridge(clinic, .returnExisting)
        clinic.set { state in
            state.creation = .createsAndFails(.outcomeUnknown("no answer came"))
            state.invisible = ["new-0"]
        }
        for _ in 0..<2 {
            #expect(await failure { try await bridge.create(ana(), key: "k", soon()) }?.code == .outcomeUnknown)
        }
        #expect(await failure { try await bridge.create(ana("Ana Outra"), key: "k", soon()) }?.code == .keyReused)
        clinic.set { $0.invisible = [] }
        #expect(try await bridge.create(ana(), key: "k", soon()).id.text == "new-0")
        #expect(clinic.calls.count { $0 == .create } == 1)
    }
}
