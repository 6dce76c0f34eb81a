public import ClientContract

/// A fictional client whom a world puts on record before a check begins. Prints masked.
public struct Person: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var name: String
    /// The main number first.
    public var phones: [PhoneNumber]
    public var cpf: CPF?
    public var email: String?
    public var birthday: Birthday?
    /// What the contract calls `description`.
    public var notes: String?
    /// An address. A system that keeps pictures holds one of its own for it.
    public var image: String?

    public init(
        name: String, phones: [PhoneNumber] = [], cpf: CPF? = nil, email: String? = nil, birthday: Birthday? = nil,
        notes: String? = nil, image: String? = nil
    ) {
        self.name = name
        self.phones = phones
        self.cpf = cpf
        self.email = email
        self.birthday = birthday
        self.notes = notes
        self.image = image
    }

    public var description: String { "person(…)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
