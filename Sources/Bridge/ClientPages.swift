public import ClientContract
import UpstreamDriver

/// The clients of a list, pulled page by page: memory holds one page and the ids of those before, and nothing is asked
/// for before the reader wants it. Copies share what they have given out: go on with one of them only.
public struct ClientPages: Sendable {
    private let bridge: Bridge
    private let context: CallContext
    private var walk: PageWalk

    init(bridge: Bridge, window: Window, context: CallContext) {
        self.bridge = bridge
        self.context = context
        walk = bridge.walk(window, context)
    }

    /// The next clients, at least one; nil when there are no more.
    /// - Throws: any failure of the system. The list is incomplete then, and stays so: the failure comes again.
    public mutating func next() async throws(ContractError) -> [Client]? {
        try bridge.require(.list, "list clients")
        while true {
            let clients: [Client]?
            do throws(UpstreamError) {
                clients = try await walk.next()
            } catch {
                throw bridge.failure(error)
            }
            guard let clients, bridge.options.listDetail, bridge.completesRows else { return clients }
            let full = try await bridge.complete(clients, context)
            // All of a page's rows vanished between two calls.
            if !full.isEmpty { return full }
        }
    }
}

extension Bridge {
    /// A walk over all clients as lists show them.
    func walk(_ window: Window, _ context: CallContext) -> PageWalk {
        let driver = driver
        return PageWalk(capabilities.listPaging, window: window, skipsRows: capabilities.skipsRows) {
            (request) async throws(UpstreamError) in
            try context.check()
            return try await driver.page(request, context)
        }
    }

    /// Whether rows lack members that the full record may hold, and the full record can be had.
    var completesRows: Bool { !capabilities.needsDetail.isEmpty && capabilities.operations.contains(.get) }

    /// The full records of rows, in the same order. Rows that vanished meanwhile are left out.
    func complete(_ rows: [Client], _ context: CallContext) async throws(ContractError) -> [Client] {
        let full = try await concurrently(rows) { [self] (row) async throws(ContractError) -> Client? in
            do throws(UpstreamError) {
                return try await read(row.id, context)
            } catch {
                if case .notFound = error { return nil }
                throw failure(error)
            }
        }
        return full.compactMap { $0 }
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
