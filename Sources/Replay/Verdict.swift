import JSONBytes
import MockUpstream

extension ExpectedRequest {
    func differences(from request: MockRequest) -> [Difference] {
        var differences: [Difference] = []
        func add(_ member: String, _ want: String, _ got: String) {
            differences.append(Difference(pointer: pointer.appending(member), want: want, got: got))
        }
        if (request.method, request.path) != (method, path) {
            add("request", "\(method) \(path)", "\(request.method) \(request.path)")
        }
        let parameters = JSONValue.texts(request.parameters)
        if let wholeQuery {
            Matching.compare(wholeQuery, parameters, at: pointer.appending("request"), &differences)
        }
        if let query { Matching.compare(query.value, parameters, at: query.pointer, partial: true, &differences) }
        if let headers {
            // By the spelling of the spec: names of headers have no case.
            let pairs = headers.value.members.flatMap { member in
                request.values(ofHeader: member.key).map { (name: member.key, value: $0) }
            }
            Matching.compare(headers.value, .texts(pairs), at: headers.pointer, partial: true, &differences)
        }
        if let body {
            let got = request.body.isEmpty ? nil : (try? JSONDocument(request.body).root) ?? .text("not JSON")
            Matching.compare(body.value, got, at: body.pointer, &differences)
        }
        if let text {
            let got = JSONValue.text(String(decoding: request.body, as: UTF8.self))
            Matching.compare(text.value, got, at: text.pointer, &differences)
        }
        return differences
    }
}

extension Outcome {
    /// Beside what is stated: an answer with content is JSON, an error is a problem document of its own status.
    func differences(from answer: LocalCaller.Answer) -> [Difference] {
        var differences: [Difference] = []
        func add(_ member: String, _ want: String, _ got: String) {
            differences.append(Difference(pointer: pointer.appending(member), want: want, got: got))
        }
        if isBroken {
            let came = answer.failure.map { "\($0)" } ?? "status \(answer.status), whole"
            switch answer.failure {
            case .truncated, .receive, .protocolViolation: break
            default: add("broken", "an answer that breaks off", came)
            }
            return differences
        }
        if let failure = answer.failure {
            add("status", "\(status)", "no answer: \(failure)")
            return differences
        }
        if answer.status != status {
            add("status", "\(status)", "\(answer.status) \(String(decoding: answer.body.prefix(600), as: UTF8.self))")
            return differences
        }
        if let headers {
            let pairs = headers.value.members.compactMap { member in
                answer.headers[member.key.lowercased()].map { (name: member.key, value: $0) }
            }
            Matching.compare(headers.value, .texts(pairs), at: headers.pointer, partial: true, &differences)
        }
        let mediaType = status == 200 ? "application/json" : "application/problem+json"
        let statesType = headers?.value.members.contains { $0.key.lowercased() == "content-type" } ?? false
        if answer.mediaType != mediaType, !statesType { add("headers", mediaType, answer.mediaType) }
        if let text {
            let got = JSONValue.text(String(decoding: answer.body, as: UTF8.self))
            Matching.compare(text.value, got, at: text.pointer, &differences)
        }
        if let body {
            let got = answer.json ?? .text(String(decoding: answer.body, as: UTF8.self))
            Matching.compare(body.value, got, at: body.pointer, &differences)
        }
        if let problem {
            Matching.compare(problem.value, answer.json, at: problem.pointer, partial: true, &differences)
        }
        if status != 200, mediaType == answer.mediaType { differences += problemFaults(answer) }
        return differences
    }

    /// What every problem document must be (RFC 9457).
    private func problemFaults(_ answer: LocalCaller.Answer) -> [Difference] {
        let code = answer.json?["code"]?.string ?? ""
        let wanted: [(String, String, String?)] = [
            ("type", "urn:ponte:problem:\(code)", answer.json?["type"]?.string),
            ("status", "\(status)", answer.json?["status"]?.int.map { "\($0)" }),
            ("requestId", answer.headers["x-request-id"] ?? "", answer.json?["requestId"]?.string),
        ]
        return wanted.filter { $0.1 != $0.2 }.map {
            Difference(pointer: pointer.appending("problem").appending($0.0), want: $0.1, got: $0.2 ?? "nothing")
        }
    }
}
