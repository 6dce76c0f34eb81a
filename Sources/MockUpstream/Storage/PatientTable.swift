/// What patients can be searched by.
struct SearchKeys {
    var phones: [String] = []
    var cpf: String?
    /// Folded.
    var emails: [String] = []
    /// Folded.
    var name = ""
}

/// How a dialect keeps a patient.
protocol PatientRecord: Sendable {
    init(_ person: Person, row: Int)
    var keys: SearchKeys { get }
}

/// The patients of a pretend clinic system, in the order of their ids; none is ever removed.
///
/// What the generator gives is not kept: 200,000 patients cost their search columns only, about 30 MB. What was written
/// is kept as it is, and what was shown is kept rendered, so that a page is copied, not made.
struct PatientTable<Record: PatientRecord>: Sendable {
    /// The id of row 0.
    static var firstID: Int { 1_001 }

    private let generator: PersonGenerator
    private var written: [Int: Record] = [:]
    /// By shape and row.
    private var rendered: [[[UInt8]?]]
    private(set) var count: Int
    private var phones = ScanColumn()
    private var cpfs = ScanColumn()
    private var emails = ScanColumn()
    private var names = ScanColumn()

    init(_ options: MockOptions, shapes: Int) {
        generator = PersonGenerator(options)
        let count = options.rows
        self.count = count
        rendered = Array(repeating: Array(repeating: nil, count: count), count: shapes)
        for row in 0..<count { appendKeys(Record(generator.person(row), row: row).keys) }
    }

    func row(ofID id: Int) -> Int? {
        id >= Self.firstID && id - Self.firstID < count ? id - Self.firstID : nil
    }

    static func id(ofRow row: Int) -> Int { firstID + row }

    subscript(_ row: Int) -> Record { written[row] ?? Record(generator.person(row), row: row) }

    mutating func append(_ record: Record) {
        written[count] = record
        count += 1
        for shape in rendered.indices { rendered[shape].append(nil) }
        appendKeys(record.keys)
    }

    mutating func replace(_ row: Int, with record: Record) {
        written[row] = record
        for shape in rendered.indices { rendered[shape][row] = nil }
        let keys = record.keys
        phones.replace(row, keys.phones)
        cpfs.replace(row, keys.cpf.map { [$0] } ?? [])
        emails.replace(row, keys.emails)
        names.replace(row, [keys.name])
    }

    private mutating func appendKeys(_ keys: SearchKeys) {
        phones.append(keys.phones)
        cpfs.append(keys.cpf.map { [$0] } ?? [])
        emails.append(keys.emails)
        names.append([keys.name])
    }

    /// A row's bytes in one shape, made once.
    mutating func bytes(_ row: Int, shape: Int, make: (Record) -> [UInt8]) -> [UInt8] {
        if let kept = rendered[shape][row] { return kept }
        let bytes = make(self[row])
        rendered[shape][row] = bytes
        return bytes
    }

    // MARK: Search; rows come back ascending.

    func rows(phoneContaining digits: String) -> [Int] { phones.rows(with: digits, whole: false) }
    func rows(cpf digits: String) -> [Int] { cpfs.rows(with: digits, whole: true) }
    func rows(emailContaining text: String) -> [Int] { emails.rows(with: Text.folded(text), whole: false) }
    func rows(nameContaining text: String) -> [Int] { names.rows(with: Text.folded(text), whole: false) }
    func rows(name: String) -> [Int] { names.rows(with: Text.folded(name), whole: true) }
}
