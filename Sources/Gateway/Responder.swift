import ClientContract
import HTTPTypes
import Hummingbird
import JSONBytes
import Logging
import Metering
import NIOCore
import Tenancy

/// The connection that a request came on.
struct GatewayContext: InitializableFromSource {
    let channel: any Channel
    var connection: ObjectIdentifier { ObjectIdentifier(channel) }

    init(source: ApplicationRequestContextSource) { channel = source.channel }
}

/// Answers requests. Everything that a caller sees of an error is made here.
struct GatewayResponder: HTTPResponder {
    let tenants: TenantDirectory
    let options: GatewayOptions
    let inFlight: InFlight
    let state: GatewayState
    let paces = KeyPaces()
    let meter: ServerMeter
    let logger: Logger

    /// The connection is closed after this answer.
    private struct Close: Error {}

    /// The body arrived in part, or was too large to read to its end.
    private struct Refused: Error {
        let error: ContractError
        let mustClose: Bool
    }

    func respond(to request: Request, context: GatewayContext) async throws -> Response {
        let method = request.method.rawValue
        let requestID = RequestIdentity.of(request.headers)
        var record = AccessRecord(requestID: requestID, method: method)
        var bodyIsRead = false
        var mustClose = false
        var allow: String?
        do {
            let path = request.head.path ?? ""
            let mark = path.firstIndex(of: "?")
            let route = try Route.find(
                method: method, path: mark.map { path[..<$0] } ?? path[...], prefix: options.pathPrefix)
            (record.route, record.counted) = (route.template, route.counted)
            guard case .client(let rawTenant, let call) = route else {
                return finish(health(route, requestID), &record, requestID)
            }
            let caller = try Authentication.caller(request.headers, in: tenants)
            let channel = context.channel
            do throws(ContractError) {
                try Authentication.admit(
                    caller, rawTenant: rawTenant,
                    from: CallerAddress.of(channel, request.headers, trusting: options.trustedProxies), paces)
            } catch {
                // Whose key it is stays unsaid where the path names another tenant.
                if error.code != .otherTenant { (record.tenant, record.keyName) = (caller.tenant, caller.keyName) }
                throw error
            }
            record.tenant = caller.tenant
            record.keyName = caller.keyName
            let calls = ClientCalls(
                tenant: caller.tenant, requestID: requestID, connection: context.connection, inFlight: inFlight)
            let query = try Query(mark.map { path[path.index(after: $0)...] })
            switch call {
            case .list:
                let window = try query.window()
                if let limit = window.limit, limit <= ClientCalls.mostCollected {
                    return finish(try await calls.collected(window), &record, requestID)
                }
                return try await stream(calls.pages(window), to: context.channel, record, requestID)
            case .search:
                let term = try query.searchTerm(most: options.termLength)
                return finish(try await calls.search(term, try query.window()), &record, requestID)
            case .get(let rawID):
                return finish(try await calls.get(try PathID.read(rawID)), &record, requestID)
            case .create:
                try JSONBody.check(request.headers, limit: options.bodyBytes)
                let key = try IdempotencyKey.read(request.headers)
                bodyIsRead = true
                let draft = try calls.draft(try await body(request, context, caller.tenant))
                record.ignored = draft.ignored
                return finish(try await calls.create(draft, key: key), &record, requestID)
            case .update(let rawID):
                let id = try PathID.read(rawID)
                try JSONBody.check(request.headers, limit: options.bodyBytes)
                bodyIsRead = true
                let patch = try calls.patch(try await body(request, context, caller.tenant))
                record.ignored = patch.ignored
                return finish(try await calls.update(id, patch), &record, requestID)
            }
        } catch let error as Route.Miss {
            if case .wrongMethod(let methods, let template) = error {
                allow = methods
                record.route = template
            }
            mustClose = JSONBody.mayBeEndless(request.headers)
            return refuse(error.error, request, context, &record, allow: allow, close: mustClose)
        } catch let error as ContractError {
            mustClose = !bodyIsRead && JSONBody.mayBeEndless(request.headers)
            return refuse(error, request, context, &record, close: mustClose)
        } catch let refused as Refused {
            return refuse(refused.error, request, context, &record, bodyIsRead: true, close: refused.mustClose)
        } catch is CallerGone {
            record.outcome = .callerGone
            return finish(Answer(status: Outcome.callerGone.status, body: []), &record, requestID)
        } catch {
            record.failure = String(describing: type(of: error))
            mustClose = !bodyIsRead && JSONBody.mayBeEndless(request.headers)
            return refuse(ContractError(.internalError), request, context, &record, close: mustClose)
        }
    }

    private func body(_ request: Request, _ context: GatewayContext, _ tenant: Tenant) async throws -> [UInt8] {
        let (hasExpectation, channel) = (JSONBody.hasExpectation(request.headers), context.channel)
        func fault(_ message: String) -> Refused {
            Refused(error: .invalidInput([.init("", message)]), mustClose: true)
        }
        let reading: JSONBody.Reading
        do {
            let (limit, time) = (options.bodyBytes, max(options.bodyTimeout, tenant.callTimeout))
            reading = try await inFlight.run(on: context.connection, until: .now + time, .body) {
                // Only now that the wait can be cut short. The connection knows whether the caller waits for it.
                if hasExpectation { channel.triggerUserOutboundEvent(SendContinue(), promise: nil) }
                return try await JSONBody.read(request.body, limit: limit)
            }
        } catch let error as ContractError where error.code == .shuttingDown {
            throw Refused(error: error, mustClose: true)
        } catch is ContractError {
            throw fault("the body did not come in time")
        } catch {
            throw fault("the body broke off, or is not framed as HTTP asks")
        }
        switch reading {
        case .whole(let bytes): return bytes
        case .tooLarge(let ended): throw Refused(error: JSONBody.tooLarge(options.bodyBytes), mustClose: !ended)
        }
    }

    private func finish(_ answer: Answer, _ record: inout AccessRecord, _ requestID: String) -> Response {
        record.status = answer.status
        record.end(logger, meter)
        return answer.response(requestID: requestID)
    }

    private func finish(_ client: Client, _ record: inout AccessRecord, _ requestID: String) -> Response {
        record.rows = 1
        return finish(.client(client), &record, requestID)
    }

    private func finish(_ clients: [Client], _ record: inout AccessRecord, _ requestID: String) -> Response {
        record.rows = clients.count
        return finish(.clients(clients), &record, requestID)
    }

    private func refuse(
        _ error: ContractError, _ request: Request, _ context: GatewayContext, _ record: inout AccessRecord,
        allow: String? = nil, bodyIsRead: Bool = false, close: Bool
    ) -> Response {
        let answer = Answer.problem(error, requestID: record.requestID, allow: allow)
        record.outcome = .error(error.code)
        var response = finish(answer, &record, record.requestID)
        if request.method == .head { response = response.createHeadResponse() }
        guard close else { return response }
        response.headers[.connection] = "close"
        let channel = context.channel
        let buffer = ByteBuffer(bytes: request.method == .head ? [] : answer.body)
        response.body = ResponseBody(contentLength: buffer.readableBytes) { writer in
            try await writer.write(buffer)
            try await writer.finish(nil)
            if !bodyIsRead {
                // The caller sees the end, whether or not it sends its body. A reset would take the answer from one
                // that is still sending.
                try? await channel.close(mode: .output).get()
                var count = 0
                for try await chunk in request.body {
                    count += chunk.readableBytes
                    if count > JSONBody.mostDiscarded { break }
                }
            }
            throw Close()
        }
        return response
    }

    /// Answers with the pages as they come. The first is pulled before anything is sent, so that its failure is a
    /// proper problem; a later failure breaks the connection off, so that nobody takes the rest for the whole. A page is
    /// on its way to the reader before the next one is asked for.
    private func stream(
        _ pages: ClientCalls.PulledPages, to channel: any Channel, _ record: AccessRecord, _ requestID: String
    ) async throws -> Response {
        var record = record
        record.status = 200
        var pages = pages
        let first = try await pages.next()
        let (rest, begun, logger, meter) = (pages, record, logger, meter)
        let body = ResponseBody { writer in
            var pages = rest
            var page = first
            var record = begun
            var rows = 0
            var isFirst = true
            do {
                while let clients = page {
                    try await Self.write(Self.piece(clients, isFirst: isFirst), &writer)
                    // The server underneath hands pieces over to the connection without waiting for it. Once it has
                    // taken this one, the next write waits for the reader.
                    try await channel.eventLoop.submit {}.get()
                    isFirst = false
                    rows += clients.count
                    page = try await pages.next()
                }
                try await Self.write(ByteBuffer(bytes: isFirst ? Array("[]".utf8) : Array("]".utf8)), &writer)
                try await writer.finish(nil)
            } catch {
                record.rows = rows
                record.broken = true
                record.outcome = Self.outcome(error)
                record.end(logger, meter)
                throw Close()
            }
            record.rows = rows
            record.end(logger, meter)
        }
        return Response(
            status: .ok, headers: Answer.fields("application/json", requestID: requestID), body: body)
    }

    /// Why a list broke off.
    private static func outcome(_ error: any Error) -> Outcome {
        switch error {
        case is CallerGone: .callerGone
        case is CancellationError: .error(.shuttingDown)
        case let error as ContractError: .error(error.code)
        default: .error(.internalError)
        }
    }

    /// - Throws: `CallerGone` when the connection does not take it.
    private static func write(_ bytes: ByteBuffer, _ writer: inout any ResponseBodyWriter) async throws {
        do {
            try await writer.write(bytes)
        } catch {
            throw Task.isCancelled ? error : CallerGone()
        }
    }

    private static func piece(_ clients: [Client], isFirst: Bool) -> ByteBuffer {
        var writer = JSONWriter(capacity: 256 + clients.count * 400)
        if isFirst { writer.raw("[") }
        for (index, client) in clients.enumerated() {
            if index > 0 || !isFirst { writer.raw(",") }
            client.write(to: &writer)
        }
        return writer.withBytes { ByteBuffer(bytes: $0) }
    }

    private func health(_ route: Route, _ requestID: String) -> Answer {
        guard route == .ready else { return Answer(status: 200, body: Array(#"{"status":"live"}"#.utf8)) }
        let overview = tenants.overview
        let count = overview.tenants.count
        let status = state.isDraining ? "draining" : count == 0 ? "no_tenants" : "ready"
        // Those go on as they were: no reason to send their calls elsewhere.
        let stale = overview.stale.isEmpty ? "" : #","stale":\#(overview.stale.count)"#
        return Answer(
            status: status == "ready" ? 200 : 503,
            body: Array(#"{"status":"\#(status)","tenants":\#(count)\#(stale)}"#.utf8))
    }
}
