import Foundation

/// Connections that say nothing: what they cost Ponte, and whether it still serves others. Needs a limit of open files
/// (`ulimit -n`) above the number; it raises its own as far as it may.
enum IdleBenchmark {
    /// What 10,000 of them may take, in MB.
    static let mostMemory = 256.0

    /// - Parameter arguments: `[connections]`, 10,000 without.
    static func run(_ arguments: [String]) throws {
        let wanted = arguments.first.flatMap { Int($0) } ?? 10_000
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        // Ponte, which has the same limit, keeps some files for its calls.
        let count = min(wanted, Int(clamping: limit.rlim_cur) - 1000)
        if count < wanted { print("no more than \(count) connections: only \(limit.rlim_cur) files may be open") }
        let limits = #"{"connections":\#(count + 1),"connectionsPerAddress":\#(count + 64)}"#
        let server = #"{"limits":\#(limits),"timeouts":{"idle":"10m"}}"#
        let test = try PonteUnderTest(patients: 100, server: server)
        defer { test.stop() }

        let before = test.ponte.memory("VmRSS")
        let start = ContinuousClock.now
        var idle: [PlainConnection] = []
        for _ in 0..<count { idle.append(try PlainConnection(port: test.port)) }
        // Served, and so the last of them has been accepted.
        let served = try status(test)
        let opened = ContinuousClock.now - start
        let after = test.ponte.memory("VmRSS")
        var times: [Duration] = []
        for _ in 0..<200 {
            let begin = ContinuousClock.now
            _ = try status(test)
            times.append(ContinuousClock.now - begin)
        }
        // The place of the caller is the last one: with it taken, the next is refused.
        let last = try PlainConnection(port: test.port)
        idle.append(last)
        let refused = try PlainConnection(port: test.port).head().status
        print("\(count) idle connections, opened in \(opened / .seconds(1)) s")
        print(
            "Ponte \(Int(before)) MB before, \(Int(after)) MB with them: \(Int((after - before) * 1024) / count) KiB each"
        )
        print("a call on a new connection meanwhile: \(times.sorted()[100] / .milliseconds(1)) ms (median)")
        print("one more connection than allowed is answered \(refused)")
        guard served == 200, refused == 503, after < mostMemory else {
            throw ChildProcess.Failure(description: "served \(served), refused \(refused), \(after) MB")
        }
    }

    private static func status(_ test: PonteUnderTest) throws -> Int {
        let connection = try PlainConnection(port: test.port)
        try connection.send("GET", "/clients?limit=1", ["X-API-Key: \(test.key)", "Connection: close"])
        let (status, headers) = try connection.head()
        _ = try connection.body(headers)
        return status
    }
}
