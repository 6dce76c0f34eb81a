import ClientContract
import JSONBytes
import StrictConfig
import Transport
import UpstreamDriver

/// Turns a profile file into a plan. Every fault is reported where it stands; nothing is left to be found at run time.
struct ProfileCompiler {
    let node: ConfigNode

    init(_ node: ConfigNode) { self.node = node }

    func compile() -> Profile? {
        guard let object = node.object(Members.profile) else { return nil }
        let name = object.required("name")?.string()
        let title = object.required("title")?.string()
        _ = object.optional("documentation")?.string()
        let credentials = credentialNames(object.optional("credentials"))
        let settings = self.settings(object.optional("settings"), credentials)
        var names = VariableNames(known: ["requestId"])
            .adding(credentials.map { "credential.\($0)" }).adding(settings.map { "setting.\($0.name)" })

        var plan = ProfilePlan()
        plan.foldCase = object.optional("foldCase")?.bool() ?? false
        plan.charset = object.optional("charset")?.choice(Charset.forced)
        if let base = object.optional("baseURL") {
            plan.baseURL = base.textTemplate(VariableNames(known: Set(settings.map { "setting.\($0.name)" })))
            if let text = base.value.string, !text.hasPrefix("https://"), !text.hasPrefix("http://") {
                base.fault("must begin with https:// or http://")
            }
        }
        let outcomes = OutcomeCompiler.rules(object.optional("outcomes"))
        if let login = object.optional("login") {
            let again = compileLogin(login, names, credentials, outcomes, &plan)
            plan.loginAgain = again ?? plan.loginAgain
            names = names.adding("login.token")
        }
        if let request = object.optional("request") { compileRequest(request, names, &plan) }
        if let fields = object.required("fields") { plan.fields = LensCompiler.fields(fields) }
        plan.idForm = LensCompiler.idForm(object.optional("fields"))
        let operations = OperationCompiler(names: names, outcomes: outcomes)
        let nodes = object.required("operations")?.entries("an object of operations") ?? []
        for (name, node) in nodes { plan.operations[name] = operations.operation(name, node) }
        plan.searches = operations.searches(object.optional("search"), nodes, plan.operations)
        var duplicates = Capabilities.DuplicatePolicy.unknown
        if let create = object.optional("create"), let members = create.object(Members.create) {
            duplicates =
                members.optional("duplicates")?.choice([
                    "reusesSilently": .reusesSilently, "refuses": .refuses, "creates": .creates, "unknown": .unknown,
                ]) ?? .unknown
            plan.constants.create = constants(members.optional("fixed"))
            plan.createNeeds = members.optional("requires").map(needs) ?? []
        }
        if let update = object.optional("update") {
            compileUpdate(update, nodes.map(\.name), settings.map(\.name), &plan)
        }
        if let hints = object.optional("retryAfter") {
            plan.retryHints = hints.oneOrMore().compactMap { hint in
                guard let members = hint.object(Members.retryAfter), let header = members.required("header")?.string()
                else { return nil }
                return RetryHint(header: header, form: members.optional("as")?.choice(RetryHint.Form.self) ?? .seconds)
            }
        }
        var concurrent: Int?
        var pace: Pace?
        if let limits = object.optional("limits"), let members = limits.object(Members.limits) {
            concurrent = members.optional("concurrent")?.int(1...1000)
            pace = self.pace(limits, members)
        }
        let stale = object.optional("staleReads")?.duration() ?? .zero
        ProfileChecks(object: object, operations: nodes, plan: plan, attempts: plan.searches, staleReads: stale).run()
        guard let name, let title else { return nil }
        return Profile(
            name: name, title: title, baseURL: object.optional("baseURL")?.value.string, credentials: credentials,
            settings: settings, concurrent: concurrent, pace: pace,
            capabilities: capabilities(title, plan, duplicates, stale), plan: plan)
    }

    // MARK: Parts

    private func credentialNames(_ node: ConfigNode?) -> [String] {
        guard let node else { return [] }
        if node.kind == .array { return node.elements().compactMap { identifier($0, $0.string()) } }
        return node.entries("an object of credential names").compactMap { name, entry in
            if let members = entry.object(Members.credential) { _ = members.optional("description")?.string() }
            return identifier(entry, name)
        }
    }

    private func identifier(_ node: ConfigNode, _ name: String?) -> String? {
        guard let name else { return nil }
        guard !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }) else {
            node.fault("is not a name: use letters, digits and _")
            return nil
        }
        return name
    }

    private func settings(_ node: ConfigNode?, _ credentials: [String]) -> [Profile.Setting] {
        guard let node else { return [] }
        return node.entries("an object of settings").compactMap { name, entry in
            guard let members = entry.object(Members.setting),
                let name = identifier(entry, name)
            else { return nil }
            _ = members.optional("description")?.string()
            var derivation: Profile.Derivation?
            if let from = members.optional("from"), let source = from.string() {
                if !credentials.contains(source) { from.fault(NearestName.unknown("credential", source, credentials)) }
                guard let mark = members.required("afterLast"), let text = mark.string() else { return nil }
                guard text.count == 1, let character = text.first else {
                    mark.fault("must be one character")
                    return nil
                }
                derivation = Profile.Derivation(credential: source, afterLast: character)
                members.optional("default")?.fault("is never used beside \"from\"")
            } else {
                members.optional("afterLast")?.fault("belongs to \"from\"")
            }
            return Profile.Setting(
                name: name, fallback: members.optional("default")?.string(allowEmpty: true), derived: derivation)
        }
    }

    private func compileRequest(_ node: ConfigNode, _ names: VariableNames, _ plan: inout ProfilePlan) {
        guard let members = node.object(Members.shared) else { return }
        plan.headers = members.optional("headers").map { OperationCompiler.headers($0, names) } ?? []
        plan.query = members.optional("query")?.templates(names) ?? []
        plan.basic = members.optional("basic").flatMap { OperationCompiler.basic($0, names) }
    }

    private func compileLogin(
        _ node: ConfigNode, _ names: VariableNames, _ credentials: [String], _ outcomes: [OutcomeRule],
        _ plan: inout ProfilePlan
    ) -> Set<Int>? {
        guard let members = node.object(Members.login) else {
            return nil
        }
        let compiler = OperationCompiler(names: names, outcomes: outcomes)
        if let request = members.required("request"), let operation = compiler.bare("login", request),
            let token = members.required("token").map(LensCompiler.pointers), !token.isEmpty
        {
            let refreshToken = members.optional("refreshToken")?.jsonPointer()
            let lifetime = self.lifetime(members.optional("lifetime"))
            var refresh: LoginRecipe.Step?
            if let node = members.optional("refresh"), let inner = node.object(Members.refresh) {
                let compiler = OperationCompiler(
                    names: names.adding("login.token", "login.refreshToken"), outcomes: outcomes)
                if let request = inner.required("request"), let operation = compiler.bare("refresh", request) {
                    refresh = LoginRecipe.Step(
                        operation: operation, token: inner.optional("token").map(LensCompiler.pointers) ?? token,
                        lifetime: inner.optional("lifetime").map { self.lifetime($0) } ?? lifetime,
                        refreshToken: inner.optional("refreshToken")?.jsonPointer() ?? refreshToken)
                }
                if refreshToken == nil { node.fault("needs \"refreshToken\" beside it: where the login answers one") }
            }
            var replaces: String?
            if let node = members.optional("replaces"), let name = node.string() {
                if !credentials.contains(name) { node.fault(NearestName.unknown("credential", name, credentials)) }
                if refreshToken == nil { node.fault("needs \"refreshToken\" beside it: what replaces the credential") }
                if refresh != nil {
                    node.fault("and \"refresh\" exclude each other: the login itself uses the credential")
                }
                replaces = name
            }
            plan.login = LoginRecipe(
                login: LoginRecipe.Step(
                    operation: operation, token: token, lifetime: lifetime, refreshToken: refreshToken),
                refresh: refresh, replaces: replaces)
        }
        return members.optional("again").map { Set($0.oneOrMore().compactMap { $0.int(400...499) }) }
    }

    /// `calls` and `per` belong together.
    private func pace(_ node: ConfigNode, _ members: ConfigObject) -> Pace? {
        let calls = members.optional("calls")
        let per = members.optional("per")
        guard let calls, let per else {
            if calls != nil || per != nil { node.fault("needs \"calls\" and \"per\" together: how many in how long") }
            return nil
        }
        guard let count = calls.int(1...100_000),
            let period = per.duration(.milliseconds(100)...Duration.seconds(86_400))
        else {
            return nil
        }
        return Pace(calls: count, per: period)
    }

    private func lifetime(_ node: ConfigNode?) -> LoginRecipe.Lifetime {
        guard let node else { return .open }
        if node.kind == .string { return node.duration().map { .fixed($0) } ?? .open }
        guard let members = node.object(Members.lifetime) else { return .open }
        let fallback = members.optional("default")?.duration() ?? .seconds(300)
        return members.required("at")?.jsonPointer().map { .seconds($0, fallback: fallback) } ?? .open
    }

    private func constants(_ node: ConfigNode?) -> [(pointer: JSONPointer, json: [UInt8])] {
        LensCompiler.constants(node)
    }

    /// What the contract's update can change.
    static let changeable: [ProfileField] = [.name, .email, .cpf, .birthday]

    /// What a draft may lack.
    private static let optional: [ProfileField] = [.cpf, .email, .birthday]

    private func needs(_ node: ConfigNode) -> [ProfileField] {
        node.oneOrMore().compactMap { entry in
            guard let field = entry.choice(ProfileField.self) else { return nil }
            if !ProfileCompiler.optional.contains(field) {
                entry.fault(
                    "cannot be missing from a draft or is never asked of one: "
                        + ProfileCompiler.optional.map(\.rawValue).joined(separator: ", "))
            }
            return field
        }
    }

    private func compileGuard(_ node: ConfigNode, _ settings: [String]) -> Guard? {
        guard let members = node.object(Members.guarded), let held = members.required("held") else { return nil }
        let unless = members.optional("unless")
        let setting = unless?.string()
        if let setting, !settings.contains(setting) {
            unless?.fault(NearestName.unknown("setting", setting, settings))
        }
        return Guard(held: LensCompiler.pointers(held), unless: setting)
    }

    private func compileUpdate(
        _ node: ConfigNode, _ operations: [String], _ settings: [String], _ plan: inout ProfilePlan
    ) {
        guard let members = node.object(Members.update) else { return }
        let style: String? = members.required("style")?.choice(of: Members.updateStyles)
        if style != "partialWithRequired" {
            members.optional("required")?.fault("belongs to the style \"partialWithRequired\"")
        }
        if style != "perField" { members.optional("calls")?.fault("belongs to the style \"perField\"") }
        if style == "perField" {
            for name in ["omit", "fixed"] { members.optional(name)?.fault("has no record in the style \"perField\"") }
        }
        if let guarded = members.optional("guard") {
            if style != "full" { guarded.fault("belongs to the style \"full\": others send only what changes") }
            plan.guarded = compileGuard(guarded, settings)
        }
        plan.constants.update = constants(members.optional("fixed"))
        plan.constants.omit = members.optional("omit")?.elements().compactMap { $0.jsonPointer() } ?? []
        let required = members.optional("required")?.elements().compactMap { $0.choice(ProfileField.self) } ?? []
        switch style {
        case "full": plan.style = .full
        case "partialWithRequired":
            plan.style = .partialWithRequired(required)
            if required.isEmpty { node.fault("needs \"required\": the fields that go along with every update") }
        case "perField":
            var calls: [ProfileField: String] = [:]
            for (name, entry) in members.required("calls")?.entries("an object of fields and operations") ?? [] {
                guard let field = ProfileField(rawValue: name) else {
                    entry.fault(NearestName.unknown("field", name, ProfileCompiler.changeable.map(\.rawValue)))
                    continue
                }
                if !ProfileCompiler.changeable.contains(field) {
                    entry.fault(
                        "is never changed: the contract's update has "
                            + ProfileCompiler.changeable.map(\.rawValue).joined(separator: ", "))
                }
                guard let operation = entry.string() else { continue }
                if !operations.contains(operation) {
                    entry.fault(NearestName.unknown("operation", operation, operations))
                }
                calls[field] = operation
            }
            plan.style = .perField(calls)
        default: plan.style = .partial
        }
    }

    // MARK: The whole

    private func capabilities(
        _ title: String, _ plan: ProfilePlan, _ duplicates: Capabilities.DuplicatePolicy, _ stale: Duration
    ) -> Capabilities {
        var operations: Set<Capabilities.Operation> = []
        if plan.operations["list"] != nil { operations.insert(.list) }
        if plan.operations["get"] != nil { operations.insert(.get) }
        if plan.operations["create"] != nil { operations.insert(.create) }
        if case .perField = plan.style { operations.insert(.update) }
        if plan.operations["update"] != nil { operations.insert(.update) }
        if !plan.searches.isEmpty { operations.insert(.search) }
        var needsDetail: Set<ClientField> = []
        for (field, lenses) in plan.fields {
            guard let client = field.client, field != .id else { continue }
            if lenses.needsDetail || (lenses.shapes[.detail] != nil && lenses.shapes[.row] == nil) {
                needsDetail.insert(client)
            }
        }
        var unchangeable: Set<ClientField> = []
        for field in ProfileCompiler.changeable {
            guard let client = field.client else { continue }
            if case .perField(let calls) = plan.style {
                if calls[field] == nil { unchangeable.insert(client) }
            } else if !(plan.fields[field]?.shapes[.update] ?? []).contains(where: { !$0.readOnly }) {
                unchangeable.insert(client)
            }
        }
        let draftMembers = Capabilities.DraftMember.allCases.filter { member in
            let lenses = ProfileField(rawValue: member.rawValue).flatMap { plan.fields[$0]?.shapes[.create] } ?? []
            return lenses.contains { !$0.readOnly }
        }
        var readable: Set<ClientField> = [.id]
        var creatable: Set<ClientField> = []
        for (field, lenses) in plan.fields {
            guard let client = field.client else { continue }
            let shown: Set<ClientField> = client == .phone ? [.phone, .allPhones] : [client]
            if lenses.shapes[.row] != nil || lenses.shapes[.detail] != nil { readable.formUnion(shown) }
            if (lenses.shapes[.create] ?? []).contains(where: { !$0.readOnly }), client != .id {
                creatable.insert(client)
            }
        }
        let list = plan.operations["list"]?.paging ?? OperationCompiler.unpaged
        return Capabilities(
            system: title, operations: operations, listPaging: list.capability,
            searches: plan.searches.mapValues { attempts in
                attempts.map {
                    Capabilities.Attempt(
                        trust: $0.trust,
                        paging: (plan.operations[$0.operation]?.paging ?? OperationCompiler.unpaged).capability,
                        samples: $0.samples)
                }
            },
            needsDetail: needsDetail, skipsRows: plan.fields[.active]?.shapes[.row] != nil, duplicates: duplicates,
            unchangeable: unchangeable, staleReads: stale, draftMembers: Set(draftMembers),
            readable: readable, creatable: operations.contains(.create) ? creatable : [],
            provesAbsence: plan.operations["get"]?.namesAbsence ?? true)
    }
}
