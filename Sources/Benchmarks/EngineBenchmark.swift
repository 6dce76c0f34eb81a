import Foundation
import Synchronization
import Transport

/// What the engine costs: 2,000 calls in flight to a server that answers after 200 ms, and 64 to one that answers at
/// once, beside the same calls on a new connection each.
///
/// Figures, not a test. CPU is that of this process (engine's thread and callers); the server is another process.
enum EngineBenchmark {
    /// - Parameter arguments: `[calls in flight] [rounds]`.
    static func run(_ arguments: [String]) async throws {
        let width = arguments.first.flatMap { Int($0) } ?? 2000
        let rounds = arguments.dropFirst().first.flatMap { Int($0) } ?? 5
        print(
            "calls in flight | server | calls | req/s | added p50 ms | added p99 ms | CPU us/call | connects | RSS MB")
        try await measure("slow", delay: 200, width: width, rounds: rounds, repeatability: .safe)
        try await measure(
            "slow, all at once", delay: 200, width: width, rounds: rounds, repeatability: .safe, spread: false)
        try await measure("instant", delay: 0, width: 64, rounds: 300, repeatability: .safe)
        try await measure("instant, new connection per call", delay: 0, width: 64, rounds: 60, repeatability: .unsafe)
        print("peak RSS \(memory("VmHWM")) MB")
    }

    private static func measure(
        _ name: String, delay: Int, width: Int, rounds: Int, repeatability: Repeatability,
        spread: Bool = true
    ) async throws {
        let server = try ChildServer(delay: delay)
        let engine = try CurlEngine(EngineOptions(maxInFlight: width * 2))
        // Different calls, in life: shared reads would make one of them.
        let settings = ChannelSettings(connectTimeout: .seconds(30), maxInFlight: width, sharesReads: false)
        let channel = engine.channel(settings)
        let request = OutboundRequest(url: server.url, repeatability: repeatability)
        // Connections and handles are made in a round that is not counted.
        _ = try await flight(channel, request, width, 1, over: .zero)

        let before = (processorTime(), ContinuousClock.now)
        let results = try await flight(channel, request, width, rounds, over: spread ? .milliseconds(delay) : .zero)
        let cpu = processorTime() - before.0
        let wall = ContinuousClock.now - before.1

        let added = results.map { $0.duration - .milliseconds(delay) }.sorted()
        let connects = results.count { !$0.reused }
        let columns: [String] = [
            "\(width)", "\(name) (\(delay) ms)", "\(results.count)", "\(Int(Double(results.count) / seconds(wall)))",
            decimal(seconds(added[added.count / 2]) * 1000), decimal(seconds(added[added.count * 99 / 100]) * 1000),
            decimal(cpu / Double(results.count) * 1_000_000), "\(connects)", memory("VmRSS"),
        ]
        print(columns.joined(separator: " | "))
        await engine.shutdown()
        server.stop()
    }

    private struct Sample: Sendable {
        var duration: Duration
        var reused: Bool
    }

    /// `width` callers, each with one call after the other. They start spread over a time: when all start in the same
    /// instant, they call together for ever, and the figures tell of bursts.
    private static func flight(
        _ channel: HTTPChannel, _ request: OutboundRequest, _ width: Int, _ rounds: Int, over spread: Duration
    ) async throws -> [Sample] {
        try await withThrowingTaskGroup(of: [Sample].self) { group in
            for caller in 0..<width {
                group.addTask {
                    if spread > .zero { try await Task.sleep(for: spread * caller / width) }
                    var samples: [Sample] = []
                    samples.reserveCapacity(rounds)
                    for _ in 0..<rounds {
                        let start = ContinuousClock.now
                        let answer = try await channel.send(request, deadline: start + .seconds(60))
                        samples.append(
                            Sample(duration: ContinuousClock.now - start, reused: answer.reusedConnection))
                    }
                    return samples
                }
            }
            var all: [Sample] = []
            all.reserveCapacity(width * rounds)
            for try await samples in group { all += samples }
            return all
        }
    }

    private static func seconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds) + Double(attoseconds) / 1e18
    }

    /// Of all threads, user and system, in seconds.
    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func decimal(_ value: Double) -> String { String(format: "%.2f", value) }

    private static func memory(_ field: String) -> String { decimal(Memory.of("self", field)) }
}

/// This program again, as the slow server.
struct ChildServer {
    let url: String
    private let process: Process
    private let input: Pipe

    init(delay: Int) throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["slow-server", "\(delay)"]
        input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        url = "http://127.0.0.1:\(line.trimmingCharacters(in: .whitespacesAndNewlines))/clientes/1"
    }

    func stop() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}

/// Standard output, at once.
func flushOutput() { fflush(nil) }
