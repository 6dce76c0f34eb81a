import Foundation
import JSONBytes

/// A whole list through Ponte, as three processes: the mock, Ponte and this reader. Fails when the list is not complete
/// or Ponte ever holds as much memory as the design allows it.
enum StreamBenchmark {
    /// Ponte's peak must stay below (issue 3, point 5).
    static let mostMemory = 96.0

    private struct Reading {
        var first: Duration
        var total: Duration
        var bytes: Int
    }

    /// - Parameter arguments: `[patients]`, 200,000 without.
    static func run(_ arguments: [String]) async throws {
        let patients = arguments.first.flatMap { Int($0) } ?? 200_000
        let test = try PonteUnderTest(patients: patients)
        defer { test.stop() }
        let idle = test.ponte.memory("VmRSS")
        // The mock reads its patients more slowly the first time: that round is counted for nobody.
        let pages = (patients + 99) / 100
        _ = try direct(test, pages: pages)
        let direct = try direct(test, pages: pages)
        let fast = try list(test, patients, receiveBuffer: nil) { _ in }
        let afterFast = test.ponte.memory("VmHWM")
        let slow = try list(test, patients, receiveBuffer: 64 << 10) { _ in usleep(10_000) }
        let peak = test.ponte.memory("VmHWM")
        print("\(patients) clients, \(fast.bytes >> 20) MB of JSON; Ponte idle \(mega(idle)) MB")
        print("reader | first byte ms | whole list s | to the mock's pages read directly | Ponte's peak MB")
        print("directly | | \(seconds(direct)) | 1.00 |")
        for (name, reading, memory) in [("fast", fast, afterFast), ("slow", slow, peak)] {
            let ratio = String(format: "%.2f", reading.total / direct)
            let first = String(format: "%.1f", reading.first / .milliseconds(1))
            print("\(name) | \(first) | \(seconds(reading.total)) | \(ratio) | \(mega(memory))")
        }
        guard peak < mostMemory else {
            throw ChildProcess.Failure(description: "Ponte held \(mega(peak)) MB, and may hold less than \(mostMemory)")
        }
    }

    /// All pages of the mock, one after the other on one connection: the least that anybody could take.
    private static func direct(_ test: PonteUnderTest, pages: Int) throws -> Duration {
        let connection = try PlainConnection(port: test.mockPort)
        let login = #"{"usuario":"ponte","senha":"senha-de-demonstracao"}"#
        try connection.send("POST", "/auth/login", ["Content-Type: application/json"], body: login)
        let token = try JSONDocument(try connection.body(try connection.head().headers)).root["token"]?.string ?? ""
        let start = ContinuousClock.now
        for page in 1...pages {
            try connection.send(
                "GET", "/api/pacientes?pagina=\(page)&porPagina=100", ["Authorization: Bearer \(token)"])
            let (status, headers) = try connection.head()
            guard status == 200 else { throw ChildProcess.Failure(description: "the mock said \(status)") }
            _ = try connection.body(headers)
        }
        return ContinuousClock.now - start
    }

    private static func list(
        _ test: PonteUnderTest, _ patients: Int, receiveBuffer: Int32?, _ pause: (Int) -> Void
    ) throws -> Reading {
        let connection = try PlainConnection(port: test.port, receiveBuffer: receiveBuffer)
        let start = ContinuousClock.now
        try connection.send("GET", "/clients", ["X-API-Key: \(test.key)"])
        let (status, headers) = try connection.head()
        let first = ContinuousClock.now - start
        guard status == 200 else { throw ChildProcess.Failure(description: "Ponte said \(status)") }
        let body = try connection.body(headers, pause)
        let total = ContinuousClock.now - start
        let ids = try JSONDocument(body).root.elements.compactMap { $0["id"]?.string }
        guard ids.count == patients, Set(ids).count == patients else {
            throw ChildProcess.Failure(description: "\(ids.count) clients came, \(Set(ids).count) of them different")
        }
        return Reading(first: first, total: total, bytes: body.count)
    }

    private static func seconds(_ duration: Duration) -> String { String(format: "%.2f", duration / .seconds(1)) }
    private static func mega(_ number: Double) -> String { String(format: "%.1f", number) }
}
