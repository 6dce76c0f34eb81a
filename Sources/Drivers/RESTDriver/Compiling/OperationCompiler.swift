import ClientContract
import JSONBytes
import StrictConfig
import UpstreamDriver

/// Compiles the operations and searches of a profile.
struct OperationCompiler {
    let names: VariableNames
    /// Rules of the whole profile: they come after an operation's own.
    let outcomes: [OutcomeRule]

    static let unpaged = Operation.Paging(
        style: .none, maximum: 1_000_000_000, fixed: nil, total: nil, pages: nil, more: nil, shortPageEnds: true)

    /// What an operation of this name may use. Operations with free names are for searches and for updates of one
    /// field.
    private func variables(_ name: String) -> VariableNames {
        switch name {
        case "list": names.adding("limit", "offset", "page", "size", "cursor")
        case "get": names.adding("id")
        case "create": names
        case "update": names.adding("id")
        default: names.adding("limit", "offset", "page", "size", "cursor", "term", "terms", "id", "value")
        }
    }

    func operation(_ name: String, _ node: ConfigNode) -> Operation? {
        guard let object = node.object(Members.operation) else { return nil }
        var names = variables(name)
        for (member, operations) in OperationCompiler.belongs where OperationCompiler.fixedNames.contains(name) {
            if !operations.contains(name) {
                object.optional(member)?.fault("means nothing in the operation \"\(name)\"")
            }
        }
        // `{with.…}` is given by the searches that use the operation; they are checked there.
        names.known.formUnion(withNames(node.value))
        let answer = object.optional("answer")
        let answers = answer?.object(Members.answer)
        if name != "create" { answers?.optional("sent")?.fault("belongs to the operation \"create\"") }
        let item = (object.optional("item") ?? answers?.optional("item")).map(LensCompiler.pointers) ?? []
        let items = object.optional("items").map(LensCompiler.pointers) ?? []
        let shape = object.optional("shape")?.choice(["row": Shape.row, "detail": .detail])
        guard let request = request(node, object, names, record: name == "create" || name == "update") else {
            return nil
        }
        return Operation(
            name: name, method: request.method, path: request.path, query: request.query, headers: request.headers,
            body: request.body, basic: request.basic, items: items, item: item,
            tolerance: tolerance(object.optional("tolerate")),
            shape: shape ?? (items.isEmpty ? .detail : .row),
            paging: object.optional("paging").flatMap(paging) ?? OperationCompiler.unpaged,
            outcomes: OutcomeCompiler.rules(object.optional("outcomes")) + outcomes,
            answerID: answers?.optional("id").map(LensCompiler.pointers) ?? [],
            sentID: answers?.optional("sent")?.jsonPointer(),
            idFromLocation: answers?.optional("location")?.bool() ?? false,
            answersRecord: !item.isEmpty, conditional: object.optional("ifMatch")?.bool() ?? false)
    }

    /// A request that is no operation of the contract: a login.
    func bare(_ name: String, _ node: ConfigNode) -> Operation? {
        guard let object = node.object(Members.bareRequest),
            let request = request(node, object, names, record: false)
        else { return nil }
        return Operation(
            name: name, method: request.method, path: request.path, query: request.query, headers: request.headers,
            body: request.body, basic: request.basic, items: [], item: [], tolerance: Operation.Tolerance(),
            shape: .detail,
            paging: OperationCompiler.unpaged,
            outcomes: OutcomeCompiler.rules(object.optional("outcomes")) + outcomes, answerID: [], sentID: nil,
            idFromLocation: false, answersRecord: false, conditional: false)
    }

    private struct Request {
        var method = "GET"
        let path: URITemplate
        var query: [NamedTemplate] = []
        var headers: [NamedTemplate] = []
        var body = BodyTemplate.none
        var basic: (user: TextTemplate, password: TextTemplate)?
    }

    static let fixedNames = ["list", "get", "create", "update"]

    /// Members that only some of the contract's operations have. Operations with other names may have them all.
    private static let belongs: [(member: String, operations: [String])] = [
        ("items", ["list"]), ("paging", ["list"]), ("item", ["get"]), ("tolerate", ["list", "get"]),
        ("answer", ["create", "update"]), ("ifMatch", ["update"]),
    ]

    static func basic(_ node: ConfigNode, _ names: VariableNames) -> (user: TextTemplate, password: TextTemplate)? {
        guard let pair = node.object(Members.basic), let user = pair.required("user")?.textTemplate(names),
            let password = pair.required("password")?.textTemplate(names)
        else { return nil }
        return (user, password)
    }

    private func request(
        _ node: ConfigNode, _ object: ConfigObject, _ names: VariableNames, record: Bool
    ) -> Request? {
        guard let pathNode = object.required("path"), let path = pathNode.uriTemplate(names) else { return nil }
        if let text = pathNode.value.string, !text.hasPrefix("/"), !text.isEmpty, !text.hasPrefix("{/"),
            !text.hasPrefix("{?")
        {
            pathNode.fault("must begin with /")
        }
        if let text = pathNode.value.string,
            text.prefix(while: { $0 != "?" }).split(separator: "/").contains(where: { $0 == "." || $0 == ".." })
        {
            pathNode.fault("steps out of itself: write the path without . and ..")
        }
        var request = Request(path: path)
        request.method = object.optional("method")?.choice(of: Members.methods) ?? "GET"
        request.basic = object.optional("basic").flatMap { OperationCompiler.basic($0, names) }
        request.query = object.optional("query")?.templates(names) ?? []
        request.headers = object.optional("headers").map { OperationCompiler.headers($0, names) } ?? []
        let bodies = ["json", "form", "multipart"].compactMap { object.optional($0) }
        if bodies.count > 1 { bodies[1].fault("stands beside another body: an operation sends one") }
        if let json = object.optional("json") {
            request.body = BodyTemplate.JSONNode(json, names, record: record).map { .json($0) } ?? .none
        } else if let form = object.optional("form") {
            request.body = formBody(form, names, record: record)
        } else if let parts = object.optional("multipart") {
            request.body = .multipart(parts.templates(names))
        }
        if request.method == "GET", let body = bodies.first { body.fault("is not sent with GET: name a method") }
        return request
    }

    private func formBody(_ node: ConfigNode, _ names: VariableNames, record: Bool) -> BodyTemplate {
        if node.value.string == "{record}" {
            if !record { node.fault("has no record in this operation") }
            return .form([], spreadsRecord: true)
        }
        var templates: [NamedTemplate] = []
        var spreads = false
        for (name, member) in node.entries("an object of form fields") {
            if name == "...", member.value.string == "{record}" {
                if !record { member.fault("has no record in this operation") }
                spreads = true
            } else if let template = member.textTemplate(names) {
                templates.append(NamedTemplate(name: name, value: template))
            }
        }
        return .form(templates, spreadsRecord: spreads)
    }

    /// Headers: names are tokens (RFC 9110, section 5.6.2), and some belong to the transport.
    static func headers(_ node: ConfigNode, _ names: VariableNames) -> [NamedTemplate] {
        node.entries("an object of header names and values").compactMap { name, value in
            let token =
                !name.isEmpty
                && name.utf8.allSatisfy { byte in
                    byte < 0x80
                        && (Character(Unicode.Scalar(byte)).isLetter || Character(Unicode.Scalar(byte)).isNumber
                            || "!#$%&'*+-.^_`|~".utf8.contains(byte))
                }
            guard token else {
                value.fault("stands under a name that is not a header name (RFC 9110)")
                return nil
            }
            guard !["host", "content-length", "transfer-encoding", "connection", "expect"].contains(name.lowercased())
            else {
                value.fault("is the transport's to send")
                return nil
            }
            return value.textTemplate(names).map { NamedTemplate(name: name, value: $0) }
        }
    }

    private func tolerance(_ node: ConfigNode?) -> Operation.Tolerance {
        var tolerance = Operation.Tolerance()
        for element in node?.elements() ?? [] {
            switch element.choice(["single": 0, "emptyObject": 1, "null": 2]) {
            case 0: tolerance.single = true
            case 1: tolerance.emptyObject = true
            case 2: tolerance.null = true
            default: break
            }
        }
        return tolerance
    }

    private func paging(_ node: ConfigNode) -> Operation.Paging? {
        guard let object = node.object(Members.paging),
            let style = object.required("style")?.choice(of: Members.pageStyles)
        else { return nil }
        let next = object.optional("next")?.jsonPointer()
        let compiled: Operation.Paging.Style
        switch style {
        case "offset": compiled = .offset
        case "page": compiled = .page(base: object.optional("base")?.int(0...1) ?? 1)
        case "cursor", "link":
            guard let next else {
                node.fault("lacks the member \"next\": where the \(style) stands in the answer")
                return nil
            }
            compiled = style == "cursor" ? .cursor(next) : .link(next)
        default: compiled = .none
        }
        if style != "page" { object.optional("base")?.fault("belongs to the style \"page\"") }
        if style != "cursor", style != "link" {
            object.optional("next")?.fault("belongs to the styles \"cursor\" and \"link\"")
        }
        if style == "none" {
            for name in ["maximum", "fixed", "total", "pages", "more", "shortPageEnds"] {
                object.optional(name)?.fault("means nothing where there is one page")
            }
            return OperationCompiler.unpaged
        }
        if style == "cursor" || style == "link" {
            object.optional("pages")?.fault("belongs to the styles \"offset\" and \"page\"")
        }
        let fixed = object.optional("fixed")?.int(1...100_000)
        let total = object.optional("total")?.jsonPointer()
        let pages = object.optional("pages")?.jsonPointer()
        let more = object.optional("more")?.jsonPointer()
        // A system that says nothing about the end may hold its pages shorter than anybody wrote down: there, only an
        // empty page ends the list, unless the profile knows better.
        let showsEnd = fixed != nil || total != nil || pages != nil || more != nil || next != nil
        return Operation.Paging(
            style: compiled, maximum: object.optional("maximum")?.int(1...100_000) ?? fixed ?? 100, fixed: fixed,
            total: total, pages: pages, more: more,
            shortPageEnds: object.optional("shortPageEnds")?.bool() ?? showsEnd)
    }

    // MARK: Searches

    func searches(
        _ node: ConfigNode?, _ nodes: [(name: String, node: ConfigNode)], _ operations: [String: Operation]
    ) -> [TermKind: [SearchAttempt]] {
        guard let node, let object = node.object(TermKind.allCases.map(\.rawValue)) else { return [:] }
        var searches: [TermKind: [SearchAttempt]] = [:]
        for kind in TermKind.allCases {
            guard let list = object.optional(kind.rawValue) else { continue }
            let attempts = list.oneOrMore().flatMap { attempt(kind, $0, nodes, operations) }
            if !attempts.isEmpty { searches[kind] = attempts }
        }
        return searches
    }

    private func attempt(
        _ kind: TermKind, _ node: ConfigNode, _ nodes: [(name: String, node: ConfigNode)],
        _ operations: [String: Operation]
    ) -> [SearchAttempt] {
        guard let object = node.object(Members.attempt),
            let operationNode = object.required("operation"), let name = operationNode.string()
        else { return [] }
        guard let target = nodes.first(where: { $0.name == name })?.node else {
            operationNode.fault(NearestName.unknown("operation", name, nodes.map(\.name)))
            return []
        }
        let operation = operations[name]
        if operation?.items.isEmpty ?? false, operation?.item.isEmpty ?? false {
            operationNode.fault("names an operation without \"items\" or \"item\"")
        }
        let with =
            object.optional("with")?.entries("an object of names and texts").compactMap { entry in
                entry.node.string(allowEmpty: true).map { (name: entry.name, value: $0) }
            } ?? []
        let wanted = withNames(target.value)
        for (given, entry) in object.optional("with")?.entries() ?? [] where !wanted.contains("with." + given) {
            entry.fault(NearestName.unknown("name", given, wanted.map { String($0.dropFirst("with.".count)) }))
        }
        for missing in wanted where !with.contains(where: { "with." + $0.name == missing }) {
            node.fault("gives no \"\(missing)\", which the operation \"\(name)\" uses")
        }
        let known = TermSpelling.known(for: kind)
        let spellings =
            object.optional("spellings")?.oneOrMore().compactMap { spelling -> TermSpelling? in
                spelling.choice(TermSpelling.self).flatMap { chosen in
                    if known.contains(chosen) { return chosen }
                    spelling.fault(
                        "does not fit a \(kind.rawValue). Known: " + known.map(\.rawValue).joined(separator: ", "))
                    return nil
                }
            } ?? known.prefix(1).map { $0 }
        let trust =
            object.optional("trust")?.choice([
                "exact": Capabilities.Trust.exact, "superset": .superset, "unproven": .unproven,
            ]) ?? .unproven
        var escapes: (characters: Set<Unicode.Scalar>, prefix: String)?
        if let escape = object.optional("escape"), let members = escape.object(Members.escape),
            let characters = members.required("characters")?.string(), let prefix = members.required("with")?.string()
        {
            escapes = (Set(characters.unicodeScalars), prefix)
            if !prefix.unicodeScalars.allSatisfy({ characters.unicodeScalars.contains($0) }) {
                escape.fault("must escape \"with\" too, or a term could end the escape: add it to \"characters\"")
            }
        }
        let query = object.optional("query")?.templates(names.adding("term", "terms")) ?? []
        let together = object.optional("together")?.bool() ?? false
        let wantsTwin = object.optional("twin")?.bool() ?? (kind == .phone && !spellings.allSatisfy(\.fitsBothTwins))
        if kind != .phone { object.optional("twin")?.fault("belongs to phones") }
        let used = (operation?.variables ?? []).union(query.flatMap(\.value.variables))
        if operation != nil {
            if !used.contains("term"), !used.contains("terms") {
                node.fault("never sends the term: use {term} in its query or in the operation \"\(name)\"")
            } else if together, !used.contains("terms") {
                object.optional("together")?.fault("needs {terms}: {term} is the first spelling alone")
            }
        }
        func make(_ spellings: [TermSpelling], _ lines: SearchAttempt.Lines) -> SearchAttempt {
            SearchAttempt(
                operation: name, query: query, with: with, spellings: spellings, lines: lines, trust: trust,
                escapes: escapes, forbidden: Set((object.optional("forbid")?.string() ?? "").unicodeScalars))
        }
        if together { return [make(spellings, wantsTwin ? .both : .own)] }
        return spellings.map { make([$0], .own) }
            + (wantsTwin ? spellings.filter { !$0.fitsBothTwins }.map { make([$0], .twin) } : [])
    }

    /// The names `with.…` that appear in an operation's templates.
    private func withNames(_ value: JSONValue) -> Set<String> {
        switch value.kind {
        case .string:
            var names: Set<String> = []
            for expression in (value.string ?? "").split(separator: "{").dropFirst(value.string?.first == "{" ? 0 : 1) {
                for part in expression.prefix(while: { $0 != "}" }).split(separator: ",") {
                    guard let open = part.firstRange(of: "with.") else { continue }
                    let name = part[open.lowerBound...].prefix { $0.isLetter || $0.isNumber || $0 == "." || $0 == "_" }
                    names.insert(String(name))
                }
            }
            return names
        case .object: return value.members.reduce(into: []) { $0.formUnion(withNames($1.value)) }
        case .array: return value.elements.reduce(into: []) { $0.formUnion(withNames($1)) }
        default: return []
        }
    }
}
