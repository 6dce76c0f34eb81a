/// How a pretend clinic system is set up.
public struct MockOptions: Sendable {
    /// Which system is imitated.
    public enum Dialect: String, Sendable, CaseIterable {
        /// A believable Brazilian clinic system of our own; see `docs/mock.md`.
        case agendaDemo = "agenda-demo"
        /// Feegow's public API, as its documentation and its integrators describe it.
        case feegow
        /// GNU Health 5 on Tryton, whose database is called `gh`.
        case gnuHealth = "gnuhealth"
    }

    /// The address to listen on.
    public var host: String
    /// The port to listen on; 0 takes a free one.
    public var port: Int
    public var dialect: Dialect
    /// The same seed gives the same patients, byte for byte.
    public var seed: UInt64
    /// How many patients there are at the start, the fixed ones of `docs/mock.md` first.
    public var patients: Int
    /// Faults in force from the start.
    public var faults: [MockFaultRule]
    /// What the logins of agenda-demo and gnuhealth accept.
    public var user: String
    public var password: String
    /// How long a token of the agenda-demo login is good for, in seconds.
    public var tokenLifetime: Int
    /// The key that the feegow dialect accepts in `x-access-token`.
    public var accessToken: String
    /// For how many seconds the reads of the feegow dialect do not show a write; 0 shows it at once. The seconds are
    /// the mock's own, see `MockServer.advanceClock(seconds:)`.
    public var staleReads: Int

    public init(
        host: String = "127.0.0.1", port: Int = 0, dialect: Dialect = .agendaDemo, seed: UInt64 = 1,
        patients: Int = 2_000, faults: [MockFaultRule] = [], user: String = "ponte",
        password: String = "senha-de-demonstracao", tokenLifetime: Int = 900,
        accessToken: String = "chave-de-demonstracao", staleReads: Int = 0
    ) {
        self.host = host
        self.port = port
        self.dialect = dialect
        self.seed = seed
        self.patients = patients
        self.faults = faults
        self.user = user
        self.password = password
        self.tokenLifetime = tokenLifetime
        self.accessToken = accessToken
        self.staleReads = staleReads
    }
}
