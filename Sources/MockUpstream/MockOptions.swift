/// How a pretend clinic system is set up.
public struct MockOptions: Sendable {
    /// Which system is imitated.
    public enum Dialect: String, Sendable, CaseIterable {
        /// A believable Brazilian clinic system of our own; see `docs/mock.md`.
        case agendaDemo = "agenda-demo"
        /// Feegow's public API, as its documentation and its integrators describe it.
        case feegow
        /// ProDoctor's public API, as client code uses it.
        case prodoctor
        /// FHIR R4 servers, each with its ways.
        case fhirHAPI = "fhir-hapi"
        case fhirAzure = "fhir-azure"
        case fhirGoogle = "fhir-google"
        case fhirOpenMRS = "fhir-openmrs"
        case fhirNilo = "fhir-nilo"
        // Vendors that `Dialects/Vendors` imitates, each called as its profile in `Config/drivers`.
        case belle
        case clinicaExperts = "clinica-experts"
        case clinicaNasNuvens = "clinica-nas-nuvens"
        case clinicorp, cliniko, conexa, easyappointments, gestaods, ninsaude, odoo, openemr, realclinic, shosp
        case simplybook, versatilis
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
    /// The patients at the start, in place of generated ones; nil for those.
    public var people: [MockPerson]?
    /// Faults in force from the start.
    public var faults: [MockFaultRule]
    /// What logins and HTTP Basic accept, where a dialect has them; prodoctor wants the password in `X-APIPASSWORD`.
    public var user: String
    public var password: String
    /// How long a login's token is good for, in seconds.
    public var tokenLifetime: Int
    /// The key that a dialect accepts, wherever it wants it: feegow in `x-access-token`, prodoctor in
    /// `X-APIKEY`, fhir-google as a bearer token, fhir-nilo in `x-api-key`.
    public var accessToken: String
    /// For how many seconds reads do not show a write, in feegow's dialect and those of `Dialects/Vendors`, and searches in
    /// fhir-google's; 0 shows it at once. The seconds are the mock's own, see `MockServer.advanceClock(seconds:)`.
    public var staleReads: Int
    /// Whether filters by phone of the feegow dialect compare letter by letter with what is on record, not digits anywhere.
    public var literalPhones: Bool
    /// Whether the dialects of systems that hold records which are no patients (companies, inactive people) hold some.
    public var strangers: Bool
    /// Whether the dialects of vendors that limit calls do so, by the mock's clock.
    public var callLimits: Bool

    public init(
        host: String = "127.0.0.1", port: Int = 0, dialect: Dialect = .agendaDemo, seed: UInt64 = 1,
        patients: Int = 2_000, people: [MockPerson]? = nil, faults: [MockFaultRule] = [], user: String = "ponte",
        password: String = "senha-de-demonstracao", tokenLifetime: Int = 900,
        accessToken: String = "chave-de-demonstracao", staleReads: Int = 0, callLimits: Bool = false,
        literalPhones: Bool = false, strangers: Bool = false
    ) {
        self.host = host
        self.port = port
        self.dialect = dialect
        self.seed = seed
        self.patients = patients
        self.people = people
        self.faults = faults
        self.user = user
        self.password = password
        self.tokenLifetime = tokenLifetime
        self.accessToken = accessToken
        self.staleReads = staleReads
        self.callLimits = callLimits
        self.literalPhones = literalPhones
        self.strangers = strangers
    }

    /// Patients at the start.
    var rows: Int { people?.count ?? max(0, patients) }
}
