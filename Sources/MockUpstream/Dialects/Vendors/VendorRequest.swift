import JSONBytes

/// A request as a vendor's system reads it: one name for a value, wherever it was sent.
struct VendorRequest: Sendable {
    let plain: MockRequest
    /// The path's segments behind the base path, as they were sent.
    let segments: [Substring]
    /// What stands in the route's variables, decoded.
    var variables: [String: String] = [:]
    let query: [(name: String, value: String)]
    /// The fields of a form.
    let form: [(name: String, value: String)]?
    /// The body, where it is JSON.
    let body: MockJSON?

    /// Nil for a path that does not begin with the base path.
    init?(_ plain: MockRequest, basePath: String) {
        guard plain.path.hasPrefix(basePath + "/") else { return nil }
        self.plain = plain
        segments = plain.path.dropFirst(basePath.count + 1).split(separator: "/", omittingEmptySubsequences: false)
        query = plain.parameters
        let type = plain.values(ofHeader: "Content-Type").last?.lowercased() ?? ""
        let isForm = type.hasPrefix("application/x-www-form-urlencoded")
        form = isForm ? MockRequest.parameters(of: String(decoding: plain.body, as: UTF8.self)) : nil
        body = isForm || plain.body.isEmpty ? nil : (try? JSONDocument(plain.body)).map { MockJSON($0.root) }
    }

    /// A value from the path, the query, a form or the JSON body's own members; nil when it is blank.
    subscript(_ name: String) -> String? {
        let value =
            variables[name] ?? query.last { $0.name == name }?.value ?? form?.last { $0.name == name }?.value
            ?? body?[name]?.scalar
        return value.flatMap { $0.allSatisfy(\.isWhitespace) ? nil : $0 }
    }

    func header(_ name: String) -> String? { plain.values(ofHeader: name).last }

    /// What a write sends, whether as JSON or as a form.
    var sent: MockJSON? {
        if let form { return .object(form.map { MockJSON.Member(key: $0.name, value: .text($0.value)) }) }
        return body
    }

    /// Fills the variables if the path is that of a route: `/patients/{id}`.
    func matching(_ pattern: String) -> VendorRequest? {
        let steps = pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard steps.count == segments.count else { return nil }
        var found = self
        for (step, segment) in zip(steps, segments) {
            if step.hasPrefix("{"), step.hasSuffix("}") {
                guard !segment.isEmpty else { return nil }
                // A plus is a plus in a path.
                found.variables[String(step.dropFirst().dropLast())] = Text.formDecoded(
                    Substring(segment.replacing("+", with: "%2B")))
            } else if step != segment {
                return nil
            }
        }
        return found
    }
}
