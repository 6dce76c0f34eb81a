/// The part of a list that a caller asks for. Both count matches, in a stable order.
public struct Window: Sendable, Equatable {
    /// At most so many; nil for all.
    public var limit: Int?
    /// How many to pass over first.
    public var offset: Int

    public init(limit: Int? = nil, offset: Int = 0) {
        self.limit = limit
        self.offset = offset
    }

    /// The largest offset and limit that make sense; beyond them a number is refused.
    static let most = 1_000_000_000

    /// Reads the query's `limit` and `offset`, each given at most once, decimal digits only.
    public init(limit: [String], offset: [String]) throws(ContractError) {
        var faults: [ContractError.Fault] = []
        func number(_ name: String, _ values: [String]) -> Int? {
            guard let text = values.first else { return nil }
            guard values.count == 1 else {
                faults.append(ContractError.Fault(query: name, "is given more than once"))
                return nil
            }
            guard !text.isEmpty, text.utf8.count <= 10, text.utf8.allSatisfy({ $0 &- 0x30 < 10 }),
                let value = Int(text), value <= Window.most
            else {
                faults.append(ContractError.Fault(query: name, "must be a whole number from 0 to \(Window.most)"))
                return nil
            }
            return value
        }
        self.limit = number("limit", limit)
        self.offset = number("offset", offset) ?? 0
        if !faults.isEmpty { throw .invalidInput(faults) }
    }
}
