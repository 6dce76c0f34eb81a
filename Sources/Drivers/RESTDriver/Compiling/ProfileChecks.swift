import ClientContract
import JSONBytes
import StrictConfig

extension ConfigNode {
    /// One of a list of names.
    func choice(of names: [String]) -> String? {
        guard let text = value.string else {
            expected("one of " + names.map { "\"\($0)\"" }.joined(separator: ", "))
            return nil
        }
        if names.contains(text) { return text }
        fault(NearestName.unknown("value", text, names))
        return nil
    }
}

/// What holds between the parts of a profile. Whatever cannot work is found here, before any call is made.
struct ProfileChecks {
    let object: ConfigObject
    let operations: [(name: String, node: ConfigNode)]
    let plan: ProfilePlan
    let attempts: [TermKind: [SearchAttempt]]
    let staleReads: Duration

    func run() {
        guard let fields = object.optional("fields"), fields.kind == .object else { return }
        if plan.fields[.name] == nil { fields.fault("lacks the member \"name\"") }
        checkUse()
        for (name, node) in operations {
            guard let operation = plan.operations[name] else { continue }
            checkPaging(operation, node)
            switch name {
            case "list":
                if operation.items.isEmpty { node.fault("lacks the member \"items\": where the rows stand") }
                checkRowID(operation, fields)
            case "get":
                if operation.item.isEmpty { node.fault("lacks the member \"item\": where the record stands") }
                if !uses(operation, "id") { node.fault("never says which client: use {id}") }
                checkShape(operation, node)
            case "create": checkCreate(operation, node, fields)
            case "update": checkUpdate(operation, node)
            default:
                if attempts.values.contains(where: { $0.contains { $0.operation == name } }) {
                    checkRowID(operation, fields)
                }
            }
        }
        checkStyle()
    }

    private func uses(_ operation: Operation, _ names: String...) -> Bool {
        let used = operation.variables.union((plan.query + plan.headers).flatMap(\.value.variables))
        return names.contains { used.contains($0) }
    }

    // MARK: Parts that nobody uses

    private func checkUse() {
        var called: Set<String> = Set(OperationCompiler.fixedNames)
        for attempt in attempts.values.joined() { called.insert(attempt.operation) }
        if case .perField(let calls) = plan.style { called.formUnion(calls.values) }
        for (name, node) in operations where !called.contains(name) {
            let guess = NearestName.of(name, in: OperationCompiler.fixedNames).map { ": did you mean \"\($0)\"?" } ?? ""
            node.fault("is used by no search and no update\(guess)")
        }
        var used = Set((plan.query + plan.headers).flatMap(\.value.variables))
        for operation in plan.operations.values { used.formUnion(operation.variables) }
        for step in [plan.login?.login, plan.login?.refresh].compactMap({ $0 }) {
            used.formUnion(step.operation.variables)
        }
        if let basic = plan.basic { used.formUnion(basic.user.variables + basic.password.variables) }
        for attempt in attempts.values.joined() { used.formUnion(attempt.query.flatMap(\.value.variables)) }
        used.formUnion(plan.baseURL?.variables ?? [])
        if let setting = plan.guarded?.unless { used.insert("setting.\(setting)") }
        for (name, node) in named(object.optional("credentials")) where !used.contains("credential.\(name)") {
            let derives =
                object.optional("settings")?.value.members.contains { $0.value["from"]?.string == name } ?? false
            if !derives { node.fault("is sent nowhere: use {credential.\(name)}") }
        }
        for (name, node) in named(object.optional("settings")) where !used.contains("setting.\(name)") {
            node.fault("is sent nowhere: use {setting.\(name)}")
        }
        if let login = object.optional("login"), !used.contains("login.token") {
            login.fault("gives a token that no request carries: use {login.token}")
        }
    }

    private func named(_ node: ConfigNode?) -> [(name: String, node: ConfigNode)] {
        switch node?.kind {
        case .array: node?.elements().compactMap { element in element.value.string.map { ($0, element) } } ?? []
        case .object: node?.entries() ?? []
        default: []
        }
    }

    // MARK: Reading

    private func checkRowID(_ operation: Operation, _ fields: ConfigNode) {
        if plan.fields[.id]?.shapes[operation.shape] == nil {
            fields.fault(
                "lacks an id for the shape \"\(operation.shape.rawValue)\", which the operation \"\(operation.name)\" reads: "
                    + "every row needs one")
        }
    }

    private func checkShape(_ operation: Operation, _ node: ConfigNode) {
        if plan.fields.values.allSatisfy({ $0.shapes[operation.shape] == nil }) {
            node.fault("reads the shape \"\(operation.shape.rawValue)\", which no field has")
        }
    }

    private func checkPaging(_ operation: Operation, _ node: ConfigNode) {
        let paging = node.entries().first { $0.name == "paging" }?.node
        if let paging, operation.items.isEmpty {
            paging.fault("belongs to operations with \"items\": a lookup answers one record")
            return
        }
        func need(_ names: String..., say: String) {
            if !names.contains(where: { uses(operation, $0) }) { (paging ?? node).fault(say) }
        }
        switch operation.paging.style {
        case .offset: need("offset", say: "is \"offset\", but the operation never sends {offset}")
        case .page: need("page", say: "is \"page\", but the operation never sends {page}")
        case .cursor: need("cursor", say: "is \"cursor\", but the operation never sends {cursor}")
        case .link, .none: break
        }
        switch operation.paging.style {
        case .offset, .page:
            if operation.paging.fixed == nil {
                need(
                    "limit", "size",
                    say: "never sends how many rows are wanted: use {limit} or {size}, or name \"fixed\"")
            }
        case .cursor, .link, .none: break
        }
        let known: [String]
        switch operation.paging.style {
        case .offset: known = ["offset"]
        case .page: known = ["page"]
        case .cursor: known = ["cursor"]
        case .link, .none: known = []
        }
        for name in ["offset", "page", "cursor"] where operation.variables.contains(name) && !known.contains(name) {
            node.fault("sends {\(name)}, but its paging gives none")
        }
    }

    // MARK: Writing

    private func checkCreate(_ operation: Operation, _ node: ConfigNode, _ fields: ConfigNode) {
        if operation.answerID.isEmpty, operation.sentID == nil, !operation.idFromLocation, !operation.answersRecord {
            node.fault("lacks the member \"answer\": where the new id, or the whole record, stands")
        }
        if !operation.sendsRecord { node.fault("never sends the record: use \"{record}\" in \"json\" or \"form\"") }
        for field in [ProfileField.name, .phones] where !writes(field, .create) && plan.fields[field] != nil {
            fields.fault("lacks a place where a create writes \(field.rawValue), which every client has")
        }
        checkForm(operation, .create, node)
    }

    private func checkUpdate(_ operation: Operation, _ node: ConfigNode) {
        if case .perField = plan.style {
            node.fault("is never called: the style \"perField\" has calls of its own")
            return
        }
        if object.optional("update") == nil {
            node.fault("needs \"update\" beside the operations: whether it is partial or full")
        }
        if !operation.sendsRecord { node.fault("never sends the record: use \"{record}\" in \"json\" or \"form\"") }
        if !uses(operation, "id"), plan.fields[.id]?.shapes[.update] == nil || plan.fields[.id]?.updatesInPlace == true
        {
            node.fault("never says which client: use {id}, or give the field id a place in \"update\"")
        }
        if !ProfileCompiler.changeable.contains(where: { writes($0, .update) }) {
            node.fault("can change nothing: no field has a place in \"update\"")
        }
        checkForm(operation, .update, node)
        checkProof(operation, node)
    }

    /// Where reads lag, nobody can see whether a change was made: the answer must say so.
    private func checkProof(_ operation: Operation, _ node: ConfigNode) {
        guard staleReads > .zero, !operation.answersRecord, !operation.answersID, !operation.rulesSuccess else {
            return
        }
        node.fault(
            "needs an \"answer\", or an outcome rule that says \"ok\": with \"staleReads\" a change cannot be read back"
        )
    }

    private func writes(_ field: ProfileField, _ shape: Shape) -> Bool {
        plan.fields[field]?.shapes[shape]?.contains { !$0.readOnly } ?? false
    }

    /// A form is flat.
    private func checkForm(_ operation: Operation, _ shape: Shape, _ node: ConfigNode) {
        guard case .form(_, true) = operation.body else { return }
        if case .full = plan.style, shape == .update {
            node.fault("is a form, which cannot carry a whole record: send JSON")
        }
        for (field, lenses) in plan.fields {
            for lens in lenses.shapes[shape] ?? [] where !lens.readOnly {
                let deep = (lens.spot.pointers + lens.also).contains { $0.steps.count != 1 }
                if lens.each != nil || deep {
                    node.fault("is a form, but \(field.rawValue) is written below another member: a form is flat")
                }
            }
        }
    }

    private func checkStyle() {
        guard let update = object.optional("update") else { return }
        switch plan.style {
        case .full, .partialWithRequired:
            if plan.operations["get"] == nil {
                update.fault("needs the record as it stands, but there is no operation \"get\"")
            }
        case .partial: break
        case .perField(let calls):
            for (_, name) in calls.sorted(by: { $0.value < $1.value }) {
                guard let operation = plan.operations[name],
                    let node = operations.first(where: { $0.name == name })?.node
                else { continue }
                for variable in ["id", "value"] where !uses(operation, variable) {
                    node.fault("changes one field, but never sends {\(variable)}")
                }
                checkProof(operation, node)
            }
            return
        }
        if case .partialWithRequired(let required) = plan.style {
            for field in required where !writes(field, .update) {
                update.fault("requires \(field.rawValue), which has no place in \"update\"")
            }
        }
        if plan.operations["update"] == nil {
            update.fault("has no operation \"update\" to send: name one, or leave this member out")
        }
    }
}
