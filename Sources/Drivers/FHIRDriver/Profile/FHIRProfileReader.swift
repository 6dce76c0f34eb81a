import ClientContract
import JSONBytes
import StrictConfig
import Transport
import UpstreamDriver

/// Reads a profile. Every fault goes to the report.
struct FHIRProfileReader {
    let root: ConfigNode

    init(_ root: ConfigNode) { self.root = root }

    /// Nil only with a fault in the report.
    func read() -> FHIRProfile? {
        guard let object = root.object(FHIRMembers.profile) else { return nil }
        let name = object.required("name").flatMap { fileName($0) }
        let title = object.required("title")?.string("the server's name, for people")
        _ = object.optional("documentation")?.string()
        let signIns = object.required("signIn").map { self.signIns($0) } ?? []
        let settings = object.optional("settings").map { self.settings($0) } ?? []
        let names = settings.map(\.name)
        guard let cpf = object.required("cpf").flatMap({ cpfs($0, settings: names) }) else { return nil }
        var plan = FHIRPlan(cpf: cpf)
        if let node = object.optional("operations") { operations(node, &plan) }
        if let type = object.optional("mediaType")?.string("a media type") { plan.mediaType = type }
        if let node = object.optional("paths") { paths(node, &plan) }
        if let node = object.optional("phones") { phones(node, &plan) }
        if let node = object.optional("emails")?.object(FHIRMembers.emails) {
            if let list = node.optional("search") { plan.emailSearch = choices(list) }
        }
        if let node = object.optional("names") { self.names(node, &plan) }
        if let node = object.optional("search") { search(node, &plan) }
        if let node = object.optional("list")?.object(FHIRMembers.list) {
            if let size = node.optional("count")?.int(1...1000) { plan.pageSize = size }
            plan.sort = node.optional("sort")?.string("search parameters, joined by commas")
        }
        if let node = object.optional("create") { create(node, &plan, settings: names) }
        if let node = object.optional("update") { update(node, &plan) }
        if let reads = object.optional("metadata")?.bool() { plan.readsMetadata = reads }
        if let isEnough = object.optional("bareNotFound")?.bool() { plan.bareNotFound = isEnough }
        if let stale = object.optional("staleReads")?.duration(.zero...Duration.seconds(86_400)) {
            plan.staleReads = stale
        }
        let limits = object.optional("limits").map { self.limits($0) }
        check(plan, object)
        guard let name, let title else { return nil }
        return FHIRProfile(
            name: name, title: title, signIns: signIns, concurrent: limits?.concurrent, pace: limits?.pace,
            declared: settings, plan: plan)
    }

    /// The file is called the same.
    private func fileName(_ node: ConfigNode) -> String? {
        guard let name = node.string("the profile's name") else { return nil }
        let file = node.report.file.split(separator: "/").last.map(String.init) ?? ""
        if file != name + ".json" { node.fault("must be the file's name without .json") }
        return name
    }

    // MARK: Signing in

    private func signIns(_ node: ConfigNode) -> [SignIn] {
        let elements = node.elements("an array of ways to sign in")
        if node.kind == .array, elements.isEmpty { node.fault("must hold at least one way to sign in") }
        var seen: Set<Set<String>> = []
        return elements.compactMap { element in
            guard let object = element.object(FHIRMembers.signIn),
                let style = object.required("style")?.choice([
                    "none": "none", "bearer": "bearer", "header": "header", "basic": "basic",
                    "clientCredentials": "clientCredentials",
                ])
            else { return nil }
            if style != "header" { object.optional("name")?.fault("belongs to the style \"header\" only") }
            if style != "clientCredentials" {
                object.optional("secretIn")?.fault("belongs to the style \"clientCredentials\" only")
            }
            let signIn: SignIn
            switch style {
            case "none": signIn = SignIn(style: .none)
            case "bearer": signIn = SignIn(style: .bearer)
            case "basic": signIn = SignIn(style: .basic)
            case "header":
                guard let node = object.required("name"), let name = headerName(node) else { return nil }
                signIn = SignIn(style: .header(name))
            default:
                let place = object.optional("secretIn")?.choice(SignIn.SecretPlace.self) ?? .body
                signIn = SignIn(style: .clientCredentials(secretIn: place))
            }
            if !seen.insert(Set(signIn.credentials)).inserted {
                element.fault("needs the same credentials as another way to sign in, so that no tenant can choose it")
            }
            return signIn
        }
    }

    private func headerName(_ node: ConfigNode) -> String? {
        guard let name = node.string("a header's name") else { return nil }
        guard name.utf8.allSatisfy({ ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2D || $0 == 0x5F }) else {
            node.fault("is not the name of a header")
            return nil
        }
        return name
    }

    private func settings(_ node: ConfigNode) -> [FHIRProfile.Setting] {
        node.entries("an object of settings").compactMap { name, node in
            guard let object = node.object(FHIRMembers.setting) else { return nil }
            if [FHIRProfile.cpfSystem, FHIRProfile.tokenURL, FHIRProfile.scope].contains(name) {
                node.fault("is a setting that every profile has")
            }
            _ = object.optional("description")?.string()
            return FHIRProfile.Setting(
                name: name, fallback: object.optional("default")?.string(allowEmpty: true), isOptional: false)
        }
    }

    // MARK: Fields

    private func cpfs(_ node: ConfigNode, settings: [String]) -> FHIRPlan.CPFs? {
        guard let object = node.object(FHIRMembers.cpf) else { return nil }
        let read = object.required("read")?.elements("an array of identifier systems").compactMap { uri($0) } ?? []
        let write = object.required("write").flatMap { uri($0) }
        guard let write else { return nil }
        var cpfs = FHIRPlan.CPFs(read: read.contains(write) ? read : [write] + read, write: write)
        if let spelling = object.optional("spelling")?.choice(CPFSpelling.self) { cpfs.spelling = spelling }
        if let list = object.optional("search") { cpfs.search = choices(list) }
        for node in object.optional("types")?.elements("an array of texts") ?? [] {
            guard let text = node.string("a type's text or code") else { continue }
            for setting in JSONTemplate.settings(in: text) where !settings.contains(setting) {
                node.fault(NearestName.unknown("setting", setting, settings))
            }
            cpfs.types.append(text)
        }
        if let node = object.optional("members") {
            cpfs.members = members(node, settings: settings, beside: ["system", "value"])
        }
        if let writes = object.optional("writesSystem")?.bool() { cpfs.writesSystem = writes }
        return cpfs
    }

    private func uri(_ node: ConfigNode) -> String? {
        guard let text = node.string("an identifier system, such as \"https://saude.gov.br/fhir/sid/cpf\"") else {
            return nil
        }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "|") }), text.contains(":") else {
            node.fault("is not a URI")
            return nil
        }
        return text
    }

    private func phones(_ node: ConfigNode, _ plan: inout FHIRPlan) {
        guard let object = node.object(FHIRMembers.phones) else { return }
        if let list = object.optional("search") { plan.phoneSearch = choices(list) }
        if let spelling = object.optional("write")?.choice(PhoneSpelling.self) { plan.phoneSpelling = spelling }
        if let use = object.optional("use")?.choice(["mobile": "mobile", "home": "home", "work": "work", "none": ""]) {
            plan.phoneUse = use.isEmpty ? nil : use
        }
    }

    private func names(_ node: ConfigNode, _ plan: inout FHIRPlan) {
        guard let object = node.object(FHIRMembers.names) else { return }
        if let form = object.optional("write")?.choice(NameForm.self) { plan.nameForm = form }
        if let use = object.optional("use")?.choice(["official": "official", "usual": "usual"]) { plan.nameUse = use }
        if let list = object.optional("search") { plan.nameSearch = choices(list) }
    }

    /// One or more of an enumeration's names, each once.
    private func choices<Choice: RawRepresentable & CaseIterable & Equatable>(_ node: ConfigNode) -> [Choice]
    where Choice.RawValue == String {
        var choices: [Choice] = []
        let elements = node.elements()
        if node.kind == .array, elements.isEmpty { node.fault("must name at least one") }
        for element in elements {
            guard let choice = element.choice(Choice.self) else { continue }
            if choices.contains(choice) { element.fault("is named twice") } else { choices.append(choice) }
        }
        return choices
    }

    /// Free members of a resource or an identifier.
    private func members(_ node: ConfigNode, settings: [String], beside own: [String]) -> [JSONTemplate.Member] {
        node.entries("an object").map { name, node in
            if own.contains(name) { node.fault("is a member that Ponte writes itself") }
            let template = JSONTemplate(value: node.value)
            for setting in template.settings where !settings.contains(setting) {
                node.fault(NearestName.unknown("setting", setting, settings))
            }
            return JSONTemplate.Member(name: name, value: template)
        }
    }

    // MARK: Calls

    private func operations(_ node: ConfigNode, _ plan: inout FHIRPlan) {
        plan.operations = Set(choices(node) as [Capabilities.Operation])
    }

    private func paths(_ node: ConfigNode, _ plan: inout FHIRPlan) {
        guard let object = node.object(FHIRMembers.paths) else { return }
        func path(_ name: String, id: Bool?) -> String? {
            guard let node = object.optional(name), let text = node.string("a path behind the base address") else {
                return nil
            }
            let rest = text.replacing("{id}", with: "")
            let isSound =
                rest.utf8.allSatisfy {
                    ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || "-._~/$".utf8.contains($0)
                } && !text.hasPrefix("/")
                && !text.split(separator: "/", omittingEmptySubsequences: false).contains {
                    $0.isEmpty || $0 == "." || $0 == ".."
                }
            if !isSound {
                node.fault("must be a path such as \"Patient/{id}\", without a slash in front and without a query")
            } else if let id, text.contains("{id}") != id {
                node.fault(id ? "must hold {id}" : "must not hold {id}")
            }
            return text
        }
        if let text = path("search", id: false) { plan.paths.search = text }
        if let text = path("read", id: true) { plan.paths.read = text }
        if let text = path("create", id: false) { plan.paths.create = text }
        // An upsert names its record in the body.
        if let text = path("update", id: nil) { plan.paths.update = text }
        if let text = path("metadata", id: false) { plan.paths.metadata = text }
    }

    private func search(_ node: ConfigNode, _ plan: inout FHIRPlan) {
        guard let object = node.object(FHIRMembers.search) else { return }
        if let method = object.optional("method")?.choice(FHIRPlan.SearchMethod.self) { plan.searchMethod = method }
        if let strict = object.optional("strict")?.bool() { plan.isStrict = strict }
        if let noCache = object.optional("noCache")?.bool() { plan.noCache = noCache }
        if let compares = object.optional("selfLink")?.choice(["compare": true, "ignore": false]) {
            plan.comparesSelfLink = compares
        }
        guard let parameters = object.optional("parameters")?.object(FHIRMembers.kinds) else { return }
        plan.parameters = [:]
        for kind in TermKind.allCases {
            guard let node = parameters.optional(kind.rawValue) else { continue }
            let names = node.elements("an array of search parameters").compactMap { element -> String? in
                guard let name = element.string("a search parameter") else { return nil }
                guard name.utf8.allSatisfy({ ($0 | 0x20) &- 0x61 < 26 || $0 == 0x2D || $0 == 0x3A }) else {
                    element.fault("is not a search parameter, such as \"phone\" or \"name:contains\"")
                    return nil
                }
                return name
            }
            if node.kind == .array, node.elements().isEmpty { node.fault("must name at least one") }
            plan.parameters[kind] = names
        }
    }

    private func create(_ node: ConfigNode, _ plan: inout FHIRPlan, settings: [String]) {
        guard let object = node.object(FHIRMembers.create) else { return }
        if let style = object.optional("style")?.choice(FHIRPlan.CreateStyle.self) { plan.createStyle = style }
        if let flag = object.optional("ifNoneExist")?.bool() { plan.ifNoneExist = flag }
        if let flag = object.optional("uuidIdentifier")?.bool() { plan.uuidIdentifier = flag }
        if let list = object.optional("requires") {
            plan.requires = list.elements().compactMap {
                $0.choice(["cpf": ClientField.cpf, "email": .email, "birthday": .birthday])
            }
        }
        if let node = object.optional("members") {
            let own = ["resourceType", "id", "identifier", "name", "telecom", "birthDate"]
            plan.createMembers = members(node, settings: settings, beside: own)
        }
    }

    private func update(_ node: ConfigNode, _ plan: inout FHIRPlan) {
        guard let object = node.object(FHIRMembers.update) else { return }
        if let style = object.optional("style")?.choice(FHIRPlan.UpdateStyle.self) { plan.updateStyle = style }
        if let flag = object.optional("ifMatch")?.bool() { plan.ifMatch = flag }
        if let attempts = object.optional("attempts")?.int(1...5) { plan.attempts = attempts }
    }

    private func limits(_ node: ConfigNode) -> (concurrent: Int?, pace: Pace?) {
        guard let object = node.object(FHIRMembers.limits) else { return (nil, nil) }
        let concurrent = object.optional("concurrent")?.int(1...1000)
        guard let calls = object.optional("calls")?.int(1...1_000_000) else { return (concurrent, nil) }
        let period = object.optional("per")?.duration(.seconds(1)...Duration.seconds(86_400)) ?? .seconds(60)
        return (concurrent, Pace(calls: calls, per: period))
    }

    /// What must hold between members.
    private func check(_ plan: FHIRPlan, _ object: ConfigObject) {
        let updates = object.optional("update") ?? object.node
        if plan.updateStyle == .upsert, plan.createStyle != .upsert {
            updates.fault("has the style \"upsert\", which needs that style of \"create\" as well")
        }
        if plan.updateStyle != .upsert, !plan.paths.update.contains("{id}") {
            updates.fault("needs {id} in paths.update, unless its style is \"upsert\"")
        }
        if plan.operations.contains(.update), !plan.operations.contains(.get) {
            updates.fault("needs the operation \"get\": a record is read before it is changed")
        }
        if plan.createStyle == .upsert, !plan.uuidIdentifier, !plan.requires.contains(.cpf) {
            (object.optional("create") ?? object.node).fault(
                "has the style \"upsert\", which needs an identifier in every record: set uuidIdentifier, or require cpf"
            )
        }
        if plan.createStyle == .upsert, !plan.operations.contains(.search) || plan.parameters[.cpf] == nil {
            (object.optional("create") ?? object.node).fault(
                "has the style \"upsert\", which needs a search by cpf: it would write over the record that has the CPF"
            )
        }
    }
}

/// The members of each object of a profile. The reader goes by them, and a test compares
/// `Config/schema/fhir-profile.schema.json` with them.
enum FHIRMembers {
    static let profile = [
        "name", "title", "documentation", "signIn", "settings", "operations", "mediaType", "paths", "cpf", "phones",
        "emails", "names", "search", "list", "create", "update", "metadata", "bareNotFound", "staleReads",
        "limits",
    ]
    static let signIn = ["style", "name", "secretIn"]
    static let setting = ["description", "default"]
    static let cpf = ["read", "write", "spelling", "search", "types", "members", "writesSystem"]
    static let phones = ["search", "write", "use"]
    static let emails = ["search"]
    static let names = ["write", "use", "search"]
    static let paths = ["search", "read", "create", "update", "metadata"]
    static let search = ["method", "strict", "noCache", "selfLink", "parameters"]
    static let kinds = ["phone", "cpf", "email", "name"]
    static let list = ["count", "sort"]
    static let create = ["style", "ifNoneExist", "requires", "uuidIdentifier", "members"]
    static let update = ["style", "ifMatch", "attempts"]
    static let limits = ["concurrent", "calls", "per"]

    /// Every table, by its place in a profile.
    static let tables: [(place: String, members: [String])] = [
        ("", profile), ("/signIn/0", signIn), ("/settings/x", setting), ("/cpf", cpf), ("/phones", phones),
        ("/emails", emails), ("/names", names), ("/paths", paths), ("/search", search), ("/search/parameters", kinds),
        ("/list", list), ("/create", create), ("/update", update), ("/limits", limits),
    ]
}
