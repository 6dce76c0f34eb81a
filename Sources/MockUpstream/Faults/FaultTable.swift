/// A fault, where it strikes and how often.
public struct MockFaultRule: Sendable, Hashable {
    public var fault: MockFault
    /// The operation that it strikes; nil for all.
    public var operation: MockOperation?
    /// How many requests it still strikes; nil for all to come.
    public var times: Int?
    /// How many requests that it would strike it still lets pass first.
    public var after: Int

    public init(_ fault: MockFault, operation: MockOperation? = nil, times: Int? = nil, after: Int = 0) {
        self.fault = fault
        self.operation = operation
        self.times = times
        self.after = max(0, after)
    }
}

/// The faults in force, in the order in which they were added.
struct FaultTable: Sendable {
    var rules: [MockFaultRule]
    /// Decides about jitter: the same delays in the same order for every mock.
    private var dice = Dice(1, 1)

    init(rules: [MockFaultRule]) { self.rules = rules }

    /// The faults for one request: all delays, and the first of the others. Only those that strike are used up.
    mutating func take(for operation: MockOperation, first asked: [MockFault]) -> Struck {
        var struck = Struck()
        add(asked, to: &struck)
        guard !rules.isEmpty else { return struck }
        for index in rules.indices where rules[index].operation == nil || rules[index].operation == operation {
            strike(index) { struck.add($0, &$1) }
        }
        rules.removeAll { ($0.times ?? 1) <= 0 }
        return struck
    }

    /// Adds faults that an answer brings with it.
    mutating func add(_ faults: [MockFault], to struck: inout Struck) {
        for fault in faults { _ = struck.add(fault, &dice) }
    }

    /// Whether a connection that was just accepted is to be reset.
    mutating func takeAtAccept() -> Bool {
        guard !rules.isEmpty else { return false }
        var isStruck = false
        for index in rules.indices where rules[index].fault == .resetAtAccept && rules[index].operation == nil {
            strike(index) { _, _ in
                defer { isStruck = true }
                return !isStruck
            }
        }
        rules.removeAll { ($0.times ?? 1) <= 0 }
        return isStruck
    }

    /// Lets a rule strike, if its turn has come, and counts that.
    /// - Parameter accepts: whether there is still something for it to strike.
    private mutating func strike(_ index: Int, _ accepts: (MockFault, inout Dice) -> Bool) {
        if let times = rules[index].times, times <= 0 { return }
        guard rules[index].after == 0 else {
            rules[index].after -= 1
            return
        }
        if accepts(rules[index].fault, &dice), let times = rules[index].times { rules[index].times = times - 1 }
    }

    struct Struck: Sendable {
        var milliseconds = 0
        var fault: MockFault?

        fileprivate mutating func add(_ fault: MockFault, _ dice: inout Dice) -> Bool {
            if case .latency(let wait, let jitter) = fault {
                milliseconds += max(0, wait - jitter + dice.roll(2 * jitter + 1))
                return true
            }
            guard self.fault == nil else { return false }
            self.fault = fault
            return true
        }
    }
}
