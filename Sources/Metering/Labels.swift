public import ClientContract

/// A label whose values are known when Ponte is compiled. Nothing that came from outside can be one, so that no metric
/// can hold any, and the number of series has a bound.
public protocol ClosedLabel: Sendable {
    /// The label's name.
    static var label: String { get }
    /// All values, in the order of their indices.
    static var all: [Self] { get }
    /// The place of a value in `all`.
    var index: Int { get }
    /// As it is written.
    var value: String { get }
}

extension ClosedLabel where Self: CaseIterable & RawRepresentable, RawValue == Int {
    public static var all: [Self] { Array(allCases) }
    public var index: Int { rawValue }
}

/// What was asked of Ponte.
public enum CountedRoute: Int, ClosedLabel, CaseIterable {
    /// No path and method that Ponte answers.
    case none
    case live, ready
    case list, search, create, get, update

    public static var label: String { "route" }

    /// The method and the path as the documentation writes it, without prefix and tenant.
    public var value: String {
        switch self {
        case .none: "none"
        case .live: "GET /health/live"
        case .ready: "GET /health/ready"
        case .list: "GET /clients"
        case .search: "GET /clients/search"
        case .create: "POST /clients"
        case .get: "GET /clients/{id}"
        case .update: "PATCH /clients/{id}"
        }
    }
}

/// What was asked of a clinic's system.
public enum SystemOperation: Int, ClosedLabel, CaseIterable {
    case list, search, get, create, update

    public static var label: String { "operation" }
    public var value: String { "\(self)" }
}

/// What came of a request, or of a call to a clinic's system.
public enum Outcome: ClosedLabel, Equatable {
    case ok
    /// Nobody was there to read an answer.
    case callerGone
    /// The head of a request did not end in time.
    case headLate
    /// The answer of `/health/ready` that no calls are wanted.
    case notReady
    /// An error of the catalogue.
    case error(ContractError.Code)

    public static var label: String { "code" }
    public static let all = [.ok, .callerGone, .headLate, .notReady] + codes.map { Outcome.error($0) }
    private static let codes = ContractError.Code.allCases

    public var index: Int {
        switch self {
        case .ok: 0
        case .callerGone: 1
        case .headLate: 2
        case .notReady: 3
        // The list is that of all codes.
        case .error(let code): 4 + (Self.codes.firstIndex(of: code) ?? 0)
        }
    }

    public var value: String {
        switch self {
        case .ok: "ok"
        case .callerGone: "caller_gone"
        case .headLate: "head_late"
        case .notReady: "not_ready"
        case .error(let code): code.rawValue
        }
    }

    /// HTTP status; for requests without an answer the one that logs show.
    public var status: Int {
        switch self {
        case .ok: 200
        case .callerGone: 499
        case .headLate: 408
        case .notReady: 503
        case .error(let code): code.status
        }
    }

    /// The caller could not have done better: the clinic's system, the way to it or Ponte failed.
    public var isFailure: Bool {
        guard case .error(let code) = self else { return false }
        return switch code {
        case .unsupported, .tooManyConnections, .shuttingDown: false
        case .rateLimited: true
        default: code.status >= 500
        }
    }
}

/// Whether a clinic's system is called.
public enum BreakerLabel: Int, ClosedLabel, CaseIterable {
    case closed, open, halfOpen

    public static var label: String { "state" }
    public var value: String { self == .halfOpen ? "half_open" : "\(self)" }
}

/// How a clinic is, in a word.
public enum ConditionLabel: Int, ClosedLabel, CaseIterable, Comparable {
    /// Nothing failed in the last minutes; also where nothing was asked.
    case ok
    /// It is served by an older reading of its file, which has faults.
    case stale
    /// Something failed in the last minutes.
    case degraded
    /// Its system is not called for now, or most of what was asked in the last minutes failed.
    case failing

    public static var label: String { "state" }
    public var value: String { "\(self)" }
    public static func < (a: ConditionLabel, b: ConditionLabel) -> Bool { a.rawValue < b.rawValue }
}

/// How a reading of the configuration ended.
public enum ReloadLabel: Int, ClosedLabel, CaseIterable {
    case ok, faults

    public static var label: String { "result" }
    public var value: String { "\(self)" }
}

/// A name from the configuration: a tenant's id or a key's name. They are letters, digits and `- . _`, at most 63 of
/// them; anything else becomes `invalid`.
public struct ConfiguredName: Sendable, Hashable {
    let text: String

    public init(_ text: String) {
        let fits = text.utf8.allSatisfy {
            ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F
        }
        self.text = fits && 1...63 ~= text.utf8.count ? text : "invalid"
    }
}

/// A name and a value of a series. There are no others than those that can be made here.
public struct Label: Sendable {
    let name: String
    let value: String

    private init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    public init<Value: ClosedLabel>(_ value: Value) { self.init(Value.label, value.value) }

    /// The status of an outcome.
    public init(statusOf outcome: Outcome) { self.init("status", String(outcome.status)) }

    public init(tenant: ConfiguredName) { self.init("tenant", tenant.text) }
    public init(key: ConfiguredName) { self.init("key", key.text) }
    public init(version: StaticString) { self.init("version", "\(version)") }

    /// For what belongs to no tenant that is known.
    public static let noTenant = Label("tenant", "none")

    static func bound(_ text: String) -> Label { Label("le", text) }
}
