import Synchronization

/// All that requests and the mock's owner change, behind one lock.
///
/// A lock and not an actor: one event loop serves all connections, so the lock is free whenever a request takes it, and
/// a request is answered where it was read, in order, without a hop. Only the owner's calls come from other threads.
final class MockState: Sendable {
    struct Plan: Sendable {
        var answer: MockAnswer
        var milliseconds = 0
        var fault: MockFault?
    }

    private struct Shared {
        var dialect: any Dialect
        var faults: FaultTable
        var changes = ChangesUnderWay()
        /// Seconds that the clock was moved by hand.
        var advanced = 0.0
    }

    let requests = MockRequests()
    private let shared: Mutex<Shared>
    private let started = ContinuousClock.now

    init(_ dialect: any Dialect, faults: [MockFaultRule]) {
        shared = Mutex(Shared(dialect: dialect, faults: FaultTable(rules: faults)))
    }

    /// Counts a request, carries it out and says how to answer.
    func plan(_ request: MockRequest) -> Plan {
        if let answer = adminAnswer(to: request) { return Plan(answer: answer) }
        LeakLedger.shared?.note(request)
        guard let asked = Self.askedFaults(of: request) else {
            return Plan(answer: Self.adminFailure(400, "X-Mock-Fault names no fault of this mock"))
        }
        let elapsed = ContinuousClock.now - started
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        return shared.withLock { shared in
            let operation = shared.dialect.operation(of: request)
            requests.add(request, operation: operation)
            var struck = shared.faults.take(for: operation, first: asked)
            guard struck.fault?.preventsOperation != true else {
                return Plan(
                    answer: MockAnswer(500, #"{"erro":"falha simulada"}"#), milliseconds: struck.milliseconds,
                    fault: struck.fault)
            }
            let now = seconds + shared.advanced
            if let (row, change) = shared.changes.take(before: operation) {
                shared.dialect.change(change, ofRow: row, now: now)
            }
            let answer = shared.dialect.answer(to: request, now: now)
            shared.faults.add(answer.faults, to: &struck)
            return Plan(answer: answer, milliseconds: struck.milliseconds, fault: struck.fault)
        }
    }

    /// The faults of `X-Mock-Fault`, separated by commas; nil if one makes no sense.
    private static func askedFaults(of request: MockRequest) -> [MockFault]? {
        var faults: [MockFault] = []
        for header in request.headers where Text.equalsIgnoringCase(header.name, "X-Mock-Fault") {
            for text in header.value.split(separator: ",") {
                guard let fault = MockFault(text.filter { $0 != " " }) else { return nil }
                faults.append(fault)
            }
        }
        return faults
    }

    /// Counts a connection and says whether it is to be reset at once.
    func accept() -> Bool {
        requests.addConnection()
        return shared.withLock { $0.faults.takeAtAccept() }
    }

    var faults: [MockFaultRule] { shared.withLock { $0.faults.rules } }
    func add(_ rule: MockFaultRule) { shared.withLock { $0.faults.rules.append(rule) } }
    func clearFaults() { shared.withLock { $0.faults.rules = [] } }
    func expireTokens() { shared.withLock { $0.dialect.expireTokens() } }
    func id(ofRow row: Int) -> String { shared.withLock { $0.dialect.id(ofRow: row) } }
    func keepsakes(ofRow row: Int) -> [UInt8]? { shared.withLock { $0.dialect.keepsakes(ofRow: row) } }
    var strangers: Int { shared.withLock { $0.dialect.strangers } }
    func limitPages(to rows: Int) -> Bool { shared.withLock { $0.dialect.limitPages(to: max(1, rows)) } }
    func set(_ changes: [MockChange], ofRow row: Int, before operation: MockOperation) {
        shared.withLock { $0.changes.set(changes, ofRow: row, before: operation) }
    }
    func releaseReads() { shared.withLock { $0.dialect.releaseReads() } }
    func advanceClock(seconds: Double) { shared.withLock { $0.advanced += seconds } }
}
