/// One pretend clinic system. A dialect knows its routes, its shapes and its rules; listening, faults and counting are
/// not its business.
protocol Dialect: Sendable {
    /// What the base URL ends with, as `/v1/api`, or "".
    var basePath: String { get }

    func operation(of request: MockRequest) -> MockOperation

    /// Carries out a request.
    /// - Parameter now: the mock's own clock, in seconds.
    mutating func answer(to request: MockRequest, now: Double) -> MockAnswer

    /// Makes all tokens given out so far worthless.
    mutating func expireTokens()
    /// Lets reads see all writes.
    mutating func releaseReads()

    /// Changes a patient as the clinic's people do, by the system's own screens.
    mutating func change(_ change: MockChange, ofRow row: Int, now: Double)

    /// What the system keeps of a patient beside what a caller of the contract can name, in one form that stays the
    /// same while nothing of it changes; nil where there is no such patient.
    func keepsakes(ofRow row: Int) -> [UInt8]?
    /// How many records there are at the start that are no patients, behind those who are.
    var strangers: Int { get }
    /// Serves no page of more rows, whatever is asked for and documented; false where pages are not asked for by size.
    mutating func limitPages(to rows: Int) -> Bool
    /// The id of a patient by their place among those who were there at the start.
    func id(ofRow row: Int) -> String
}

extension Dialect {
    func keepsakes(ofRow row: Int) -> [UInt8]? { nil }
    var strangers: Int { 0 }
    mutating func limitPages(to rows: Int) -> Bool { false }
    func id(ofRow row: Int) -> String { String(PatientTable<AgendaDemoRecord>.id(ofRow: row)) }
}

/// What the mock answers, before a fault is applied.
struct MockAnswer: Sendable {
    var status: Int
    var contentType = "application/json; charset=utf-8"
    var headers: [(name: String, value: String)] = []
    var body: [UInt8]
    /// Faults that belong to this answer, beside those in force.
    var faults: [MockFault] = []

    init(_ status: Int, _ body: [UInt8]) {
        self.status = status
        self.body = body
    }

    init(_ status: Int, _ text: String, contentType: String = "application/json; charset=utf-8") {
        self.init(status, Array(text.utf8))
        self.contentType = contentType
    }
}
