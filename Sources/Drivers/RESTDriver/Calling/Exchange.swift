import ClientContract
import DriverSupport
import JSONBytes
import Transport
import UpstreamDriver

/// An answer, read and judged.
struct Exchange: Sendable {
    let kind: OutcomeKind
    /// A rule of the profile decided, not the status alone.
    let ruled: Bool
    let status: Int
    /// Where the answer came from: for relative links. It may hold secrets.
    let url: String
    let answer: UpstreamAnswer
    let text: AnswerText
    /// The body as JSON; nil where there is none.
    var document: JSONDocument? { text.document }
    /// A web page in place of an answer.
    var isPage: Bool { text.isPage }
    /// The vendor's own words from the places that the profile names, without the tenant's secrets, not yet cleaned of
    /// people.
    let reasons: [String]
    let retryAfter: Int?
}

extension Exchange {
    /// What is wrong with a success that says nothing.
    var unreadable: UpstreamError {
        if answer.body.isEmpty { return .malformed("the answer is empty") }
        if isPage { return .malformed("a web page came in place of an answer") }
        if document == nil { return .malformed("the answer is not JSON in an encoding that can be told") }
        return .malformed("the answer has not the form that the profile expects")
    }
}

/// Sends operations: builds the request, asks the transport, judges the answer by the profile's rules.
struct Exchanger: Sendable {
    let plan: ProfilePlan
    let baseURL: String
    /// Credentials and settings by variable name.
    let constants: Variables
    let http: any HTTPSending

    /// Sends one request.
    /// - Parameter link: an absolute address in place of the operation's own, already checked.
    func send(
        _ operation: Operation, _ role: CallRole, _ values: Variables, extraQuery: [NamedTemplate] = [],
        record: [UInt8]? = nil, entityTag: String? = nil, link: String? = nil, session: String? = nil,
        _ context: CallContext
    ) async throws(UpstreamError) -> Exchange {
        var request = try self.request(
            operation, role, values, extraQuery: extraQuery, record: record, entityTag: entityTag, link: link,
            session: session, context)
        request.reading = { reading(operation, role, $0) }
        request.isLogin = role == .login
        let answer: UpstreamAnswer
        do {
            answer = try await http.send(request, deadline: context.deadline)
        } catch {
            throw UpstreamError(error, isWrite: role.isWrite)
        }
        return judge(operation, role, answer, url: request.url, secrets: { secrets(of: request, session) })
    }

    // MARK: Building the request

    func request(
        _ operation: Operation, _ role: CallRole, _ values: Variables, extraQuery: [NamedTemplate], record: [UInt8]?,
        entityTag: String?, link: String?, session: String?, _ context: CallContext
    ) throws(UpstreamError) -> OutboundRequest {
        var variables = constants.merging(values)
        variables["requestId"] = .text(context.requestID)
        if let session { variables["login.token"] = .text(session) }
        var url = link ?? (baseURL + operation.path.expand(variables))
        if link == nil {
            // No value may step out of its place: a segment "." or ".." would.
            let path = url.dropFirst(baseURL.count).prefix { $0 != "?" }
            if path.split(separator: "/").contains(where: { $0 == "." || $0 == ".." }) {
                throw role == .get || role == .update ? .notFound : .unsupported("a value cannot stand in its path")
            }
        }
        let given = link.map(Exchanger.queryNames) ?? []
        for parameter in link == nil ? plan.query + operation.query + extraQuery : plan.query {
            // A next link repeats what it was asked with; what it leaves out, such as a key, is added.
            if !given.contains(parameter.name), let value = parameter.value.expand(variables) {
                url +=
                    (url.utf8.contains(UInt8(ascii: "?")) ? "&" : "?") + PercentEncoding.encode(parameter.name) + "="
                    + PercentEncoding.encode(value)
            }
        }
        var headers: [(name: String, value: String)] = [("Accept", Operation.contentTypeJSON)]
        func add(_ name: String, _ value: String) {
            headers.removeAll { $0.name.lowercased() == name.lowercased() }
            headers.append((name, value))
        }
        if let basic = operation.basic ?? (role == .login ? nil : plan.basic) {
            let user = basic.user.expand(variables) ?? ""
            guard !user.contains(":") else { throw .credentialsRejected(BasicUser.complaint) }
            let pair = user + ":" + (basic.password.expand(variables) ?? "")
            add("Authorization", "Basic " + Base64.encode(Array(pair.utf8)))
        }
        for header in plan.headers + operation.headers {
            if let value = header.value.expand(variables) { add(header.name, value) }
        }
        if let entityTag { add("If-Match", entityTag) }
        var body: [UInt8]?
        switch operation.body {
        case .none: if operation.method != "GET" { body = [] }
        case .json(let node):
            var writer = JSONWriter(capacity: 256)
            do {
                try node.write(to: &writer, variables, record: record)
            } catch {
                throw .unsupported("a value does not fit where the system wants a number")
            }
            body = writer.finish()
            // A profile may name a type of its own, such as application/vnd.api+json.
            if !headers.contains(where: { $0.name.lowercased() == "content-type" }) {
                add("Content-Type", Operation.contentTypeJSON)
            }
        case .form(let fields, let spreads):
            body = Exchanger.form(fields, variables, spreads ? record : nil)
            add("Content-Type", "application/x-www-form-urlencoded")
        case .multipart(let fields):
            let (bytes, boundary) = Exchanger.multipart(fields, variables)
            body = bytes
            add("Content-Type", "multipart/form-data; boundary=\(boundary)")
        }
        let repeatability: Repeatability =
            switch role {
            case .read, .get: .safe
            // Sent again after it was made, a change of a version is refused: it goes out on a connection of its own.
            case .update: entityTag == nil ? .idempotent : .unsafe
            // A refresh token that is used twice is lost.
            case .login, .create: .unsafe
            }
        return OutboundRequest(
            method: operation.method, url: url, headers: headers, body: body, repeatability: repeatability)
    }

    private static func form(_ fields: [NamedTemplate], _ variables: Variables, _ record: [UInt8]?) -> [UInt8] {
        var pairs: [(String, String)] = fields.compactMap { field in
            field.value.expand(variables).map { (field.name, $0) }
        }
        if let record, let document = try? JSONDocument(record) {
            for member in document.root.members {
                guard let text = member.value.scalarText ?? member.value.bool.map({ $0 ? "1" : "0" }) else { continue }
                if !pairs.contains(where: { $0.0 == member.key }) { pairs.append((member.key, text)) }
            }
        }
        return Array(
            pairs.map { PercentEncoding.encode($0.0) + "=" + PercentEncoding.encode($0.1) }.joined(separator: "&").utf8)
    }

    private static func queryNames(_ url: String) -> Set<String> {
        guard let mark = url.firstIndex(of: "?") else { return [] }
        return Set(
            url[url.index(after: mark)...].split(separator: "&").compactMap { pair in
                PercentEncoding.decode(String(pair.prefix { $0 != "=" }))
            })
    }

    /// RFC 7578, texts only. The boundary is one that no value holds.
    private static func multipart(_ fields: [NamedTemplate], _ variables: Variables) -> ([UInt8], String) {
        let pairs = fields.compactMap { field in field.value.expand(variables).map { (field.name, $0) } }
        var boundary = "ponte"
        while pairs.contains(where: { $0.1.contains(boundary) }) {
            boundary += String(UInt64.random(in: 0 ... .max), radix: 36)
        }
        var text = ""
        for (name, value) in pairs {
            let quoted = name.filter { $0 != "\"" && $0 != "\r" && $0 != "\n" && $0 != "\r\n" }
            text += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(quoted)\"\r\n\r\n\(value)\r\n"
        }
        return (Array((text + "--\(boundary)--\r\n").utf8), boundary)
    }

    // MARK: Judging the answer

    /// What must never come back in a vendor's words: credentials, settings, the session's token, and the headers that
    /// carry them, each also as an address spells it.
    private func secrets(of request: OutboundRequest, _ session: String?) -> [String] {
        var secrets = constants.texts + [session].compactMap { $0 }
        for (name, value) in request.headers where !["accept", "content-type"].contains(name.lowercased()) {
            secrets.append(value)
            // Behind a scheme such as Basic.
            if let last = value.split(separator: " ").last { secrets.append(String(last)) }
        }
        secrets += secrets.map(PercentEncoding.encode)
        // The longer ones first: a short one may be a part of them.
        return Set(secrets).sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
    }

    func judge(
        _ operation: Operation, _ role: CallRole, _ answer: UpstreamAnswer, url: String = "",
        secrets: () -> [String] = { [] }
    ) -> Exchange {
        let contentType = (answer.headers.first("Content-Type") ?? "").lowercased()
        let text = AnswerText(answer.body, contentType: contentType, forced: plan.charset)
        var kind: OutcomeKind?
        var ruling: OutcomeRule?
        for rule in operation.outcomes
        where rule.matches(
            status: answer.status, contentType: contentType, document: text.document, bytes: text.bytes,
            foldCase: plan.foldCase) && !(rule.needsData && text.isPage)
        {
            kind = rule.kind
            ruling = rule
            break
        }
        let again: OutcomeKind? =
            plan.login != nil && role != .login && plan.loginAgain.contains(answer.status) ? .unauthorised : nil
        let decided = kind ?? again ?? Exchanger.byStatus(answer.status, text, role, operation) ?? .ok
        var words: [String] = []
        if decided == .refused || decided == .conflict, let root = text.document?.root {
            // Only what the profile names: elsewhere a system may say who the other patient is.
            words = (ruling?.reasons ?? []).flatMap { VendorReason.collect(root.at($0, foldCase: plan.foldCase)) }
            words += (ruling?.members ?? []).flatMap { VendorReason.members(of: root.at($0, foldCase: plan.foldCase)) }
            if !words.isEmpty {
                let secrets = secrets()
                words = words.prefix(VendorReason.most).map { VendorReason.hide(secrets, in: $0) }
            }
        }
        return Exchange(
            kind: decided, ruled: kind != nil, status: answer.status, url: url, answer: answer, text: text,
            reasons: words,
            retryAfter: decided == .rateLimited || decided == .failure ? retryAfter(answer) : nil)
    }

    /// What a status means where no rule speaks. A web page says nothing about a client, whatever its status. Gateways
    /// and frameworks say 404 of an address that they do not know, in JSON too: where the profile says what the system's
    /// own looks like, another one is a failure. (Gone, 410, is nobody's habit.)
    private static func byStatus(
        _ status: Int, _ text: AnswerText, _ role: CallRole, _ operation: Operation
    ) -> OutcomeKind? {
        let kind = OutcomeRule.byStatus(status, role)
        switch kind {
        case .notFound where text.isPlainWords: return .failure
        case .notFound where status == 404 && operation.namesAbsence: return .failure
        case .notFound, .conflict, .refused: return text.isPage ? .failure : kind
        // A firewall's; a server that wants other credentials says 401.
        case .unauthorised where status == 403 && text.isPage: return .failure
        default: return kind
        }
    }

    /// What an answer says of the system's health, by the profile's rules: a status that a rule calls harmless is, a page
    /// of HTML in place of data is not. Ordinary answers are not read for it.
    func reading(_ operation: Operation, _ role: CallRole, _ answer: UpstreamAnswer) -> AnswerReading {
        let isHTML = (answer.headers.first("Content-Type") ?? "").lowercased().hasPrefix("text/html")
        // Old systems send JSON under this name, too.
        let first = answer.body.first { $0 > 0x20 }
        let mayBePage = isHTML && first != UInt8(ascii: "{") && first != UInt8(ascii: "[")
        if answer.status < 400, !mayBePage { return AnswerReading(.alive) }
        let exchange = judge(operation, role, answer)
        let byStatus = AnswerReading(byStatusOf: answer)
        switch exchange.kind {
        case .rateLimited: return AnswerReading(.limited, retryAfter: exchange.retryAfter)
        case .failure where exchange.ruled ? answer.status < 400 || answer.status >= 500 : byStatus.meaning == .failing:
            return AnswerReading(.failing, retryAfter: exchange.retryAfter)
        case .ok where !exchange.ruled && exchange.isPage && !answer.body.isEmpty: return AnswerReading(.failing)
        default: return AnswerReading(.alive)
        }
    }

    /// Seconds to wait: what the profile names, or `Retry-After`. At most an hour.
    private func retryAfter(_ answer: UpstreamAnswer) -> Int? {
        for hint in plan.retryHints {
            guard let text = answer.headers.first(hint.header), let number = Int(PersonText.trimmed(text)) else {
                continue
            }
            // Whatever a vendor sends: no number is too large or too small.
            // Against the clock that named the moment, where it tells its time.
            let now = RetryAfter.date(answer.headers) ?? Int(EpochClock.now())
            let (left, overflows) = number.subtractingReportingOverflow(now)
            let seconds = hint.form == .seconds ? number : overflows ? 1 : left
            return min(max(seconds, 1), 3600)
        }
        return RetryAfter.seconds(answer.headers)
    }

    /// What an outcome that is no success means to Bridge.
    func error(_ exchange: Exchange, _ role: CallRole, hiding sent: [String] = []) -> UpstreamError {
        switch exchange.kind {
        case .ok, .empty: return exchange.unreadable
        case .notFound: return .notFound
        case .conflict: return .conflict(reasons: VendorReason.clean(exchange.reasons, hiding: sent))
        case .refused: return .refused(reasons: VendorReason.clean(exchange.reasons, hiding: sent))
        case .unauthorised: return .credentialsRejected("it answered \(exchange.status)")
        case .rateLimited: return .rateLimited(retryAfter: exchange.retryAfter)
        case .failure:
            // A gateway that gave up says nothing about what happened behind it, and a system that broke may have
            // broken after the record was made; unless the profile knows better. Web applications answer a form that
            // they took with a redirect, and one that they did not take, too.
            let saysNothing = exchange.status >= 500 || (300...399).contains(exchange.status)
            if role == .create, [502, 503, 504].contains(exchange.status) || (!exchange.ruled && saysNothing) {
                return .outcomeUnknown("it answered \(exchange.status)")
            }
            if role == .update, SilentGateway.statuses.contains(exchange.status) {
                return .outcomeUnknown("it answered \(exchange.status)")
            }
            // It says itself for how long it is down, and is not called meanwhile.
            if exchange.status == 503, let seconds = exchange.retryAfter {
                return .circuitOpen(retryAfter: seconds, "it answered 503")
            }
            return .failed(status: exchange.status, "it answered \(exchange.status)")
        }
    }
}

extension Variables {
    func merging(_ other: Variables) -> Variables {
        var merged = self
        merged.merge(other)
        return merged
    }
}
