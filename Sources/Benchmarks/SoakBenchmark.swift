import Foundation
import Synchronization
import Transport

/// A long run over two hundred hosts that close idle connections, break answers off and never answer, with a cache of
/// connections far smaller than the number of hosts: neither sockets nor memory may grow.
enum SoakBenchmark {
    static let hosts = 200
    /// Calls at once. The engine keeps a quarter and 16 connections more.
    static let width = 32

    /// What the process holds at one moment.
    private struct Holdings {
        var descriptors: Int
        /// Connections that the other side has closed and this one has not.
        var halfClosed: Int
        var memory: Double

        init() {
            let links = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
            let targets = links.compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
            }
            let sockets = Set(targets.compactMap { $0.hasPrefix("socket:[") ? $0.dropFirst(8).dropLast() : nil })
            // To its end: it has no size, by which Foundation would stop after a page.
            let file = FileHandle(forReadingAtPath: "/proc/self/net/tcp")
            var table = ""
            while let part = try? file?.read(upToCount: 1 << 16), !part.isEmpty {
                table += String(decoding: part, as: UTF8.self)
            }
            descriptors = targets.count
            halfClosed = table.split(separator: "\n").count { line in
                // Columns of proc(5): state is the fourth (08 is CLOSE_WAIT), the inode the tenth.
                let columns = line.split(separator: " ")
                return columns.count > 9 && columns[3] == "08" && sockets.contains(columns[9])
            }
            memory = Memory.of("self", "VmRSS")
        }
    }

    private final class Tally: Sendable {
        private let counts = Mutex(Counts())

        var seen: Counts { counts.withLock { $0 } }
        func add(_ change: (inout Counts) -> Void) { counts.withLock { change(&$0) } }
    }

    private struct Counts: Sendable {
        var calls = 0
        var reused = 0
        /// Calls that were to fail: to hosts that never answer or break off, and those given up by their caller.
        var expectedFailures = 0
        /// Reads of hosts that answer.
        var failures: [String: Int] = [:]
        var unexpected: Int { failures.values.reduce(0, +) }
    }

    /// - Parameter arguments: `[--minutes n]`, 60 without.
    /// - Throws: when something grew or a call failed that could have been answered.
    static func run(_ arguments: [String]) async throws {
        let minutes = arguments.firstIndex(of: "--minutes").flatMap { place in
            arguments.indices.contains(place + 1) ? Double(arguments[place + 1]) : nil
        }
        let duration = Duration.seconds((minutes ?? 60) * 60)
        let child = try ChildProcess("ponte-bench", ["soak-server", "\(hosts)"])
        defer { child.stop() }
        let ports = try child.line(with: " ").split(separator: " ").compactMap { Int($0) }
        let engine = try CurlEngine(EngineOptions(maxInFlight: width * 2))
        // Hosts that break answers off now and then are to be called all the same.
        let settings = ChannelSettings(
            breaker: BreakerSettings(failures: 1_000_000), connectionMaxAge: .seconds(2))
        let channels = ports.map { port in
            (engine.channel(settings), "http://127.0.0.1:\(port)")
        }

        let tally = Tally()
        let start = ContinuousClock.now
        let end = start + duration
        // Half of the time fills caches and heaps; what follows may not grow.
        var settled: [Holdings] = []
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<width {
                group.addTask {
                    while ContinuousClock.now < end {
                        await call(channels, tally)
                        // A clinic is not asked without a pause, and pauses let connections die.
                        try await Task.sleep(for: .milliseconds(Int.random(in: 0...300)))
                    }
                }
            }
            print("minute | calls | reused | failed | open files | CLOSE_WAIT | RSS MB")
            while ContinuousClock.now < end {
                try await Task.sleep(for: min(duration / 60, end - .now))
                let now = Holdings()
                let passed = ContinuousClock.now - start
                if passed > duration / 2 { settled.append(now) }
                let seen = tally.seen
                print(
                    "\(tenths(passed / .seconds(60))) | \(seen.calls) | \(seen.reused) | \(seen.unexpected) |"
                        + " \(now.descriptors) | \(now.halfClosed) | \(tenths(now.memory))")
                flushOutput()
            }
            try await group.waitForAll()
        }
        await engine.shutdown()
        let counted = tally.seen
        print(
            "\(counted.calls) calls over \(ports.count) hosts, \(counted.reused) on kept connections,"
                + " \(counted.expectedFailures) failed as they had to, \(counted.unexpected) others \(counted.failures)"
        )
        print("after the end: \(Holdings().descriptors) open files, \(Holdings().halfClosed) in CLOSE_WAIT")
        flushOutput()
        try judge(settled, counted)
    }

    /// Compares the first quarter with the last quarter of what was seen when the run had settled.
    private static func judge(_ settled: [Holdings], _ counts: Counts) throws {
        let quarter = max(1, settled.count / 4)
        func growth(_ value: (Holdings) -> Double) -> Double {
            let early = settled.prefix(quarter).map(value).reduce(0, +) / Double(quarter)
            let late = settled.suffix(quarter).map(value).reduce(0, +) / Double(quarter)
            return late - early
        }
        let grown = (
            growth { Double($0.descriptors) }, growth { Double($0.halfClosed) }, growth { $0.memory }
        )
        print("grown: \(tenths(grown.0)) open files, \(tenths(grown.1)) in CLOSE_WAIT, \(tenths(grown.2)) MB")
        guard grown.0 < 10, grown.1 < 10, grown.2 < 4, counts.unexpected == 0, !settled.isEmpty else {
            throw ChildProcess.Failure(description: "something grew, or calls failed: \(counts.failures)")
        }
    }

    private static func call(_ channels: [(HTTPChannel, String)], _ tally: Tally) async {
        let (channel, origin) = channels[.random(in: 0..<channels.count)]
        let kind = Int.random(in: 0..<100)
        let (path, time): (String, Duration) =
            switch kind {
            case 0: ("/never", .milliseconds(300))
            case 1: ("/broken", .seconds(30))
            case 2...9: ("/close", .seconds(30))
            default: ("/patient", .seconds(30))
            }
        // Creates among them: each on a connection of its own.
        let request = OutboundRequest(url: origin + path, repeatability: kind >= 95 ? .unsafe : .safe)
        do throws(TransportError) {
            let answer = try await channel.send(request, deadline: .now + time)
            tally.add {
                $0.calls += 1
                if answer.reusedConnection { $0.reused += 1 }
            }
        } catch {
            tally.add {
                $0.calls += 1
                if kind < 2 { $0.expectedFailures += 1 } else { $0.failures["\(error)", default: 0] += 1 }
            }
        }
    }

    private static func tenths(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}
