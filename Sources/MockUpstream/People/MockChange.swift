/// What somebody changes of a patient by the system's own screens. Prints masked.
public enum MockChange: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    case name(String)
    case email(String)
    /// `yyyy-MM-dd`
    case birthday(String)
    /// The main number: country code and number, digits only.
    case phone(String)

    public var description: String { "a change of a patient" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// Somebody of whom nothing else is known.
    var person: Person {
        var person = Person.nobody
        switch self {
        case .name(let name): person.name = name
        case .email(let email): person.email = email
        case .birthday(let day): person.birthday = CivilDate(iso: day)
        case .phone(let digits): person.phones = [Phone(international: digits)]
        }
        return person
    }
}

extension Person {
    /// Of whom nothing is known.
    static let nobody = Person(name: "", isPlain: true)
}

/// Changes that somebody else makes while calls are under way: each right before one is carried out.
struct ChangesUnderWay: Sendable {
    private var waiting: [MockOperation: (row: Int, changes: ArraySlice<MockChange>)] = [:]

    mutating func set(_ changes: [MockChange], ofRow row: Int, before operation: MockOperation) {
        waiting[operation] = changes.isEmpty ? nil : (row, changes[...])
    }

    /// The change that comes before a call.
    mutating func take(before operation: MockOperation) -> (row: Int, change: MockChange)? {
        guard let (row, changes) = waiting[operation], let change = changes.first else { return nil }
        waiting[operation] = (row, changes.dropFirst())
        return (row, change)
    }
}
