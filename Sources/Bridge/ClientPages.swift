public import ClientContract
import Synchronization
import UpstreamDriver

/// The clients of a list, pulled page by page: memory holds one page and the ids of those before, and nothing is asked
/// for before the reader wants it. Copies share what they have given out: go on with one of them only.
public struct ClientPages: Sendable {
    private let bridge: Bridge
    private let context: CallContext
    private let time: PageTime
    private var walk: PageWalk

    init(bridge: Bridge, window: Window, context: CallContext) {
        self.bridge = bridge
        self.context = context
        let time = PageTime(context.deadline)
        self.time = time
        walk = bridge.walk(window, context, time)
    }

    /// The next clients, at least one; nil when there are no more.
    /// - Parameter deadline: for these clients; the whole list's own counts as well.
    /// - Throws: any failure of the system. The list is incomplete then, and stays so: the failure comes again.
    public mutating func next(before deadline: ContinuousClock.Instant? = nil) async throws(ContractError) -> [Client]?
    {
        try bridge.require(.list, "list clients")
        time.ends(at: deadline.map { min($0, context.deadline) } ?? context.deadline)
        let clients: [Client]?
        do throws(UpstreamError) {
            clients = try await walk.next()
        } catch {
            throw bridge.failure(error)
        }
        guard let clients, bridge.options.listDetail, bridge.completesRows else { return clients }
        return try await bridge.detailed(clients, time.limiting(context))
    }
}

/// Until when the page that is being fetched may take: another moment for each page of a list.
final class PageTime: Sendable {
    private let deadline: Mutex<ContinuousClock.Instant>

    init(_ deadline: ContinuousClock.Instant) { self.deadline = Mutex(deadline) }

    func ends(at moment: ContinuousClock.Instant) { deadline.withLock { $0 = moment } }

    func limiting(_ context: CallContext) -> CallContext {
        CallContext(deadline: deadline.withLock { $0 }, requestID: context.requestID)
    }
}

extension Bridge {
    /// A walk over all clients as lists show them.
    func walk(_ window: Window, _ context: CallContext, _ time: PageTime? = nil) -> PageWalk {
        let driver = driver
        return PageWalk(capabilities.listPaging, window: window, skipsRows: capabilities.skipsRows) {
            (request) async throws(UpstreamError) in
            let context = time?.limiting(context) ?? context
            try context.check()
            return try await driver.page(request, context)
        }
    }

    /// Whether rows lack members that the full record may hold, and the full record can be had.
    var completesRows: Bool { !capabilities.needsDetail.isEmpty && capabilities.operations.contains(.get) }

    /// The full records of a list's rows, in the same order. A row whose record is "not found" stands as it was listed:
    /// whoever was deleted meanwhile was there, and whoever was not is not hidden.
    /// - Throws: `.upstreamMalformed` when no record of several is found: then it is the call that is wrong.
    func detailed(_ rows: [Client], _ context: CallContext) async throws(ContractError) -> [Client] {
        let full = try await complete(rows, context)
        guard rows.count <= 1 || full.contains(where: { $0 != nil }) else {
            throw failure(.malformed("it shows none of the clients that it lists"))
        }
        return zip(full, rows).map { $0 ?? $1 }
    }

    /// The full records of rows, in the same order; nil where the system says "not found" of a client whom it just
    /// showed. That is no proof of absence.
    func complete(_ rows: [Client], _ context: CallContext) async throws(ContractError) -> [Client?] {
        try await concurrently(rows) { [self] (row) async throws(ContractError) -> Client? in
            do throws(UpstreamError) {
                return try await read(row.id, context)
            } catch {
                if case .notFound = error { return nil }
                throw failure(error)
            }
        }
    }

    /// Runs calls at the same time, at most `concurrentDetails`, and answers in their order. The first failure ends
    /// the others.
    func concurrently<Input: Sendable, Output: Sendable>(
        _ inputs: [Input], _ call: @escaping @Sendable (Input) async throws(ContractError) -> Output
    ) async throws(ContractError) -> [Output] {
        if inputs.count == 1, let only = inputs.first { return [try await call(only)] }
        var outputs: [Output?] = Array(repeating: nil, count: inputs.count)
        var failure: ContractError?
        await withTaskGroup(of: (Int, Result<Output, ContractError>).self) { group in
            var next = 0
            func start() {
                guard next < inputs.count else { return }
                let index = next
                let input = inputs[index]
                next += 1
                group.addTask {
                    do throws(ContractError) {
                        return (index, .success(try await call(input)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            for _ in 0..<max(1, options.concurrentDetails) { start() }
            while let (index, result) = await group.next() {
                switch result {
                case .success(let output):
                    outputs[index] = output
                    if failure == nil { start() }
                case .failure(let error):
                    if failure == nil {
                        failure = error
                        group.cancelAll()
                    }
                }
            }
        }
        if let failure { throw failure }
        return outputs.compactMap { $0 }
    }
}
