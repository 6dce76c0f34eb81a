// What personal data prints as: nothing of it, in interpolation, in `String(reflecting:)`, in `dump` and inside any
// other value.

extension Client: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "client(…)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension ClientID: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "client(…)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension ClientDraft: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "draft(…)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension ClientPatch: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "patch(…)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension SearchTerm: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "\(kind.rawValue)(…)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension PhoneNumber: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "phone(…)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension CPF: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "cpf(…)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Birthday: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "birthday(…)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// The system's own reasons may quote what it was sent, so only their number is printed.
extension ContractError: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String {
        var text = "\(code.rawValue): \(detail ?? code.title)"
        for fault in faults {
            let place = fault.pointer.map { $0.isEmpty ? "the body" : $0 } ?? fault.parameter ?? "?"
            text += "; \(place) \(fault.message)"
        }
        if !reasons.isEmpty { text += "; \(reasons.count) reasons" }
        if !conflicting.isEmpty { text += "; \(conflicting.count) clients" }
        return text
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
