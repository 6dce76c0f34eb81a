import Foundation
import Transport

/// A tenant who is asked for twice what its system can serve: how much is still answered in time, beside the same system
/// just saturated, and what a neighbour on the same engine feels of it, beside the same neighbour alone. And how late
/// callers hear that their time is over.
///
/// Calls arrive at their times whatever became of the earlier ones: a queue without limits would grow for ever.
enum OverloadBenchmark {
    private static let delay = 50
    private static let places = 16
    private static let deadline = Duration.milliseconds(1000)
    /// What the system can serve: its places over its delay.
    private static let capacity = Double(places) * 1000 / Double(delay)

    /// - Parameter arguments: `[seconds of each part]`.
    static func run(_ arguments: [String]) async throws {
        let time = arguments.first.flatMap { Double($0) } ?? 10
        let slow = try ChildServer(delay: delay)
        let other = try ChildServer(delay: delay)
        defer {
            slow.stop()
            other.stop()
        }
        let engine = try CurlEngine()
        let neighbour = engine.channel(ChannelSettings(sharesReads: false))
        print("part | offered/s | answered in time/s | refused early/s | late or failed/s | neighbour p99 ms")
        _ = await arrive(neighbour, other.url, rate: 40, time: 1)
        let alone = await arrive(neighbour, other.url, rate: 40, time: time)
        print("neighbour alone | 40 | \(decimal(alone.rate(time))) | - | - | \(decimal(alone.p99))")
        var goodput: [Double] = []
        for (name, factor) in [("half", 0.5), ("saturated", 1.0), ("twice", 2.0), ("four times", 4.0)] {
            let channel = engine.channel(ChannelSettings(maxInFlight: places, sharesReads: false))
            async let beside = arrive(neighbour, other.url, rate: 40, time: time)
            let result = await arrive(channel, slow.url, rate: capacity * factor, time: time)
            let neighbours = await beside
            goodput.append(result.rate(time))
            print(
                "\(name) | \(decimal(capacity * factor)) | \(decimal(result.rate(time))) | "
                    + "\(decimal(Double(result.refused) / time)) | \(decimal(Double(result.failed) / time)) | "
                    + decimal(neighbours.p99))
        }
        print("goodput at twice, of saturation: \(decimal(goodput[2] / goodput[1]))")
        await engine.shutdown()
    }

    private struct Result: Sendable {
        var answered: [Double] = []
        var refused = 0
        var failed = 0

        func rate(_ time: Double) -> Double { Double(answered.count) / time }
        /// In milliseconds.
        var p99: Double { answered.isEmpty ? .nan : answered.sorted()[answered.count * 99 / 100] }
    }

    private enum Outcome: Sendable {
        case answered(Double)
        case refused, failed
    }

    private static func arrive(_ channel: HTTPChannel, _ url: String, rate: Double, time: Double) async -> Result {
        let start = ContinuousClock.now
        return await withTaskGroup(of: Outcome.self) { group in
            for number in 0..<Int(rate * time) {
                let due = start + .seconds(Double(number) / rate)
                try? await Task.sleep(until: due, clock: .continuous)
                group.addTask {
                    do throws(TransportError) {
                        let request = OutboundRequest(url: url, repeatability: .safe)
                        _ = try await channel.send(request, deadline: due + deadline)
                        let took = ContinuousClock.now - due
                        return took <= deadline ? .answered(milliseconds(took)) : .failed
                    } catch {
                        return error.kind == .saturated ? .refused : .failed
                    }
                }
            }
            return await group.reduce(into: Result()) { result, outcome in
                switch outcome {
                case .answered(let took): result.answered.append(took)
                case .refused: result.refused += 1
                case .failed: result.failed += 1
                }
            }
        }
    }

    // MARK: Deadlines

    /// 64 callers at once, of a system that answers long after their time: how much later than that they hear it.
    /// - Parameter arguments: `[rounds]`.
    static func deadlines(_ arguments: [String]) async throws {
        let rounds = arguments.first.flatMap { Int($0) } ?? 20
        let server = try ChildServer(delay: 5000)
        defer { server.stop() }
        let engine = try CurlEngine()
        let channel = engine.channel(
            ChannelSettings(maxInFlight: 64, breaker: BreakerSettings(failures: 1_000_000), sharesReads: false))
        let late = await withTaskGroup(of: [Double].self) { group in
            for caller in 0..<64 {
                group.addTask {
                    var late: [Double] = []
                    for round in 0..<rounds {
                        let deadline = ContinuousClock.now + .milliseconds(150 + (caller * 7 + round * 13) % 100)
                        let request = OutboundRequest(url: server.url, repeatability: .safe)
                        _ = try? await channel.send(request, deadline: deadline)
                        late.append(milliseconds(ContinuousClock.now - deadline))
                    }
                    return late
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }.sorted()
        print("calls | late p50 ms | late p99 ms | latest ms")
        print(
            "\(late.count) | \(decimal(late[late.count / 2])) | \(decimal(late[late.count * 99 / 100])) | "
                + decimal(late[late.count - 1]))
        await engine.shutdown(cancelling: true)
    }

    private static func milliseconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds) * 1000 + Double(attoseconds) / 1e15
    }

    private static func decimal(_ value: Double) -> String { String(format: "%.2f", value) }
}
