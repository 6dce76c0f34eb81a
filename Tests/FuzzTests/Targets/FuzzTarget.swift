#if !FUZZING
    import Testing
#endif

/// What a fuzzer feeds with bytes, and what must hold whatever they are. `scripts/fuzz` builds these files with the
/// modules that they try and `Fuzz/Entry.swift`; `FuzzFindingsTests` plays what was found again.
enum FuzzTarget: String, CaseIterable, Sendable {
    case json, profile, tenant, phone, response, request

    /// Reads one input. What does not hold is reported by `check`.
    func run(_ bytes: [UInt8]) async {
        switch self {
        case .json: fuzzJSON(bytes)
        case .profile: await fuzzProfile(bytes)
        case .tenant: await fuzzTenant(bytes)
        case .phone: fuzzValues(bytes)
        case .response: await fuzzResponse(bytes)
        case .request: fuzzRequest(bytes)
        }
    }
}

/// Reports a claim that does not hold: to the fuzzer as a crash, which keeps the input; to a test as an issue.
func check(_ condition: Bool, _ claim: @autoclosure () -> String, line: Int = #line) {
    if condition { return }
    #if FUZZING
        fatalError("broken: \(claim()) (line \(line))")
    #else
        Issue.record("broken: \(claim()) (line \(line))")
    #endif
}

/// The parts of an input that holds several: JSON and HTTP have no use for this byte (ASCII's record separator).
func parts(_ bytes: [UInt8]) -> [[UInt8]] {
    bytes.split(separator: 0x1E, omittingEmptySubsequences: false).map(Array.init)
}
