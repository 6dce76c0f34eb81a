extension UpstreamAnswer {
    /// An answer that no server gave: for stand-ins of `HTTPSending` in tests and benchmarks.
    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        var lines = AnswerHeaders()
        for (name, value) in headers {
            Array("\(name): \(value)".utf8).withUnsafeBufferPointer { lines.append(line: $0) }
        }
        self.init(
            status: status, headers: lines, body: body, reusedConnection: false, httpVersion: .http11,
            timings: CallTimings(nameLookup: .zero, connect: .zero, tls: .zero, firstByte: .zero, total: .zero))
    }
}
