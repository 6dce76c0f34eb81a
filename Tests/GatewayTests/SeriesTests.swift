import Bridge
import Tenancy
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct SeriesTests {
    private static let methods = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"]
    private static let keys: [String?] = ["key-ana", "key-nobody", nil]

    /// A path of each shape, with a text of a caller's in it.
    private static func paths(_ text: String) -> [String] {
        [
            "/clients/\(text)", "/clients/\(text)/\(text)", "/clients/search?term=\(text)", "/clients?limit=2&\(text)",
            "/\(text)", "/t/\(text)/clients", "/t/ana/clients/\(text)", "/health/\(text)", "/health/ready?\(text)",
        ]
    }

    /// As phones, CPFs, e-mails and names are.
    private static func texts(_ generator: inout some RandomNumberGenerator) -> [String] {
        func digits(_ count: Int) -> String {
            (0..<count).map { _ in "\(Int.random(in: 1...9, using: &generator))" }.joined()
        }
        func letters(_ count: Int) -> String {
            String((0..<count).map { _ in "abcdefghijklmnopqrstuvwxyz".randomElement(using: &generator) ?? "a" })
        }
        return ["55119" + digits(8), digits(11), "\(letters(8))@example.test", "\(letters(6))%20\(letters(7))"]
    }

    private static func request(_ method: String, _ path: String, _ key: String?) -> String {
        let key = key == "key-nobody" ? "\(path.hashValue)" : key
        return RawHTTP.head(method, path, key: key, close: false)
    }

    /// Sends requests ahead of their answers, some at a time.
    /// - Returns: how many were answered.
    private static func play(_ requests: [String], _ port: Int) async throws -> Int {
        let connection = try RawHTTP.Connection(port: port)
        var answered = 0
        for start in stride(from: 0, to: requests.count, by: 40) {
            let batch = requests[start..<min(start + 40, requests.count)]
            await connection.send(Array(batch.joined().utf8))
            var text = ""
            while text.ranges(of: "HTTP/1.1 ").count < batch.count, let more = await connection.readSome() {
                text += String(decoding: more, as: UTF8.self)
            }
            answered += text.ranges(of: "HTTP/1.1 ").count
        }
        return answered
    }

    @Test func tenThousandRandomRequestsMakeNoSeries() async throws {
        let system = FakeSystem()
        let ponte = try await WatchedPonte.start(
            TenantDirectory([
                Tenant(
                    id: "ana", keys: [InboundKey(name: "main", digest: KeyDigest(of: "key-ana"))],
                    bridge: Bridge(driver: system, options: BridgeOptions()))
            ]))
        var generator = Seeded(44)
        // One of each kind; then whatever comes is one of them.
        var first: [String] = []
        for text in Self.texts(&generator) {
            for path in Self.paths(text) {
                for method in Self.methods { first += Self.keys.map { Self.request(method, path, $0) } }
            }
        }
        #expect(try await Self.play(first, ponte.port) == first.count)
        _ = try await RawHTTP.exchange(ponte.port, RawHTTP.head("BREW", "/clients"))
        let before = Set(try await ponte.metrics().samples.keys)
        var lanes = [[String]](repeating: [], count: 8)
        for number in 0..<10_000 {
            let texts = Self.texts(&generator)
            let paths = Self.paths(texts[number % texts.count])
            let path = paths[Int.random(in: 0..<paths.count, using: &generator)]
            let method = Self.methods[Int.random(in: 0..<Self.methods.count, using: &generator)]
            lanes[number % lanes.count].append(Self.request(method, path, Self.keys[number % 3]))
        }
        let port = ponte.port
        let answered = try await withThrowingTaskGroup(of: Int.self) { group in
            for lane in lanes { group.addTask { try await Self.play(lane, port) } }
            return try await group.reduce(0, +)
        }
        #expect(answered == 10_000)
        // Methods that nobody knows end their connections.
        for number in 0..<100 { _ = try await RawHTTP.exchange(port, RawHTTP.head("BREW\(number)", "/clients")) }
        let page = try await ponte.metrics()
        let after = Set(page.samples.keys)
        #expect(after == before, "\(after.symmetricDifference(before).prefix(5))")
        let counted = page.samples.filter { $0.key.name == "ponte_requests_total" }.values.reduce(0, +)
        #expect(Int(counted) == first.count + 1 + 10_000 + 100)
        try await ponte.stop()
    }
}
