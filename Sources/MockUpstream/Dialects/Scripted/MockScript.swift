import Synchronization

/// One call that a script awaits, and how it is answered.
public struct MockExchange: Sendable {
    /// Whether a request is the awaited one.
    public var accepts: @Sendable (MockRequest) -> Bool
    public var status: Int
    /// As they are sent; the content type is among them.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    public var faults: [MockFault]
    /// It may as well not be made: a call beside another one whose failure ends both.
    public var isOptional: Bool

    public init(
        status: Int = 200, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        faults: [MockFault] = [], isOptional: Bool = false, accepts: @escaping @Sendable (MockRequest) -> Bool
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.faults = faults
        self.isOptional = isOptional
        self.accepts = accepts
    }
}

/// A pretend clinic system that knows nobody and says what it was told to say: exchanges in order, group by group. The
/// exchanges of one group may come in any order, each once.
///
/// A request that fits no awaited exchange of the current group is answered 500 and told in the report.
public final class MockScript: Sendable {
    /// What came otherwise than the script says. Holds requests, which print masked.
    public struct Report: Sendable {
        public struct Unexpected: Sendable {
            public let request: MockRequest
            /// The exchanges that were awaited when it came, as group and place in the group.
            public let awaited: [Place]
        }

        public struct Place: Sendable, Hashable {
            public let group: Int
            public let index: Int
        }

        public var unexpected: [Unexpected] = []
        /// Exchanges that were not asked for, optional ones excepted.
        public var missing: [Place] = []
    }

    fileprivate struct Progress {
        var groups: [[MockExchange]] = []
        var made: Set<Report.Place> = []
        var unexpected: [Report.Unexpected] = []
    }

    private let always: [MockExchange]
    private let progress = Mutex(Progress())

    /// - Parameter always: exchanges that may come at any time and any number of times, such as a login; those of the
    ///   groups come first.
    public init(always: [MockExchange] = []) { self.always = always }

    /// Awaits these exchanges from now on, and forgets what was.
    public func expect(_ groups: [[MockExchange]]) {
        progress.withLock { $0 = Progress(groups: groups) }
    }

    /// What came otherwise since `expect`. Nothing is awaited afterwards.
    public func finish() -> Report {
        progress.withLock { progress in
            defer { progress = Progress() }
            let missing = progress.groups.indices.flatMap { progress.open($0) }
            return Report(
                unexpected: progress.unexpected,
                missing: missing.filter { !progress.groups[$0.group][$0.index].isOptional })
        }
    }

    func answer(to request: MockRequest) -> MockAnswer {
        let exchange: MockExchange? = progress.withLock { progress in
            let awaited = progress.awaited
            if let place = awaited.first(where: { progress.groups[$0.group][$0.index].accepts(request) }) {
                progress.made.insert(place)
                return progress.groups[place.group][place.index]
            }
            if let exchange = always.first(where: { $0.accepts(request) }) { return exchange }
            progress.unexpected.append(Report.Unexpected(request: request, awaited: awaited))
            return nil
        }
        guard let exchange else { return MockAnswer(500, #"{"error":"the script awaits no such call"}"#) }
        var answer = MockAnswer(exchange.status, exchange.body)
        answer.headers = exchange.headers
        if let type = answer.headers.firstIndex(where: { Text.equalsIgnoringCase($0.name, "Content-Type") }) {
            answer.contentType = answer.headers.remove(at: type).value
        }
        answer.faults = exchange.faults
        return answer
    }
}

extension MockScript.Progress {
    /// The exchanges of a group that were not made yet.
    fileprivate func open(_ group: Int) -> [MockScript.Report.Place] {
        groups[group].indices.map { MockScript.Report.Place(group: group, index: $0) }.filter { !made.contains($0) }
    }

    /// What may come now: what is open of the first group in which something must still come, and of the groups before
    /// it.
    fileprivate var awaited: [MockScript.Report.Place] {
        var places: [MockScript.Report.Place] = []
        for group in groups.indices {
            let open = open(group)
            places += open
            if open.contains(where: { !groups[$0.group][$0.index].isOptional }) { break }
        }
        return places
    }
}

/// What a script is to a `MockServer`. All its calls count as `unknown` operations: a script has no routes.
struct ScriptedDialect: Dialect {
    let basePath = ""

    let script: MockScript

    func operation(of request: MockRequest) -> MockOperation { .unknown }
    mutating func answer(to request: MockRequest, now: Double) -> MockAnswer { script.answer(to: request) }
    mutating func expireTokens() {}
    mutating func releaseReads() {}
    /// It knows nobody.
    mutating func change(_ change: MockChange, ofRow row: Int, now: Double) {}
}
