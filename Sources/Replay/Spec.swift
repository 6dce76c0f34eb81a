import JSONBytes
import MockUpstream

/// A value of a spec file, with its place.
struct Placed: Sendable {
    let value: JSONValue
    let pointer: JSONPointer
}

/// One file of specs, read and checked. `docs/specs.md` describes the form.
struct SpecFile: Sendable {
    let file: String
    let title: String
    let specs: [Spec]
}

/// One world (a tenant, and a pretend clinic system) and what happens in it.
struct Spec: Sendable {
    let title: String
    let pointer: JSONPointer
    let tenant: SpecTenant
    /// Members of the server's file.
    let server: Placed?
    let system: System
    let steps: [Step]

    /// Who plays the clinic's system.
    enum System: Sendable {
        /// The exchanges of the steps, and these at any time.
        case script(always: [Exchange])
        case dialect(MockOptions.Dialect, patients: Int, staleReads: Int)
    }
}

/// What a spec says of its tenant, the file's part and the spec's merged.
struct SpecTenant: Sendable {
    /// Nil when nothing is said.
    var members: JSONValue?
    /// Where faults of it are shown.
    var pointer: JSONPointer
}

/// One call to Ponte.
struct Step: Sendable {
    let title: String?
    let pointer: JSONPointer
    let inbound: Inbound
    let upstream: Upstream
    let outcome: Outcome

    enum Upstream: Sendable {
        /// In order; those of one group in any order.
        case script([[Exchange]])
        case calls([MockOperation: Int], faults: [MockFaultRule])
    }
}

/// What Clinia sends.
struct Inbound: Sendable {
    let method: String
    let target: String
    let headers: [(name: String, value: String?)]
    let body: [UInt8]?
}

/// One call that Ponte is expected to make, and its answer.
struct Exchange: Sendable {
    let pointer: JSONPointer
    let expected: ExpectedRequest
    let status: Int
    let headers: [(name: String, value: String)]
    let body: [UInt8]
    let faults: [MockFault]
    let isOptional: Bool
}

/// What is stated of a call to the clinic's system; the rest is not compared.
struct ExpectedRequest: Sendable {
    let pointer: JSONPointer
    let method: String
    /// Percent-encoded, as it must be sent.
    let path: String
    /// The whole query of the request line, as an object of texts; nil when it has none.
    let wholeQuery: JSONValue?
    let query: Placed?
    let headers: Placed?
    let body: Placed?
    let text: Placed?
}

/// What Ponte answers.
struct Outcome: Sendable {
    let pointer: JSONPointer
    let status: Int
    let headers: Placed?
    let body: Placed?
    let text: Placed?
    let problem: Placed?
    /// The answer breaks off before its end.
    let isBroken: Bool
}
