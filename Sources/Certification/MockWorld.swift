import ClientContract
import Conformance
import MockUpstream
import RESTDriver
import Synchronization
import UpstreamDriver

/// Credentials that logins replace, for all drivers of one world.
final class WorldCredentials: Sendable {
    private let kept = Mutex<[Secret: CredentialInMemory]>([:])

    /// What became of a credential.
    func newest(of first: Secret) -> CredentialInMemory {
        kept.withLock { kept in
            let credential = kept[first] ?? CredentialInMemory(first)
            kept[first] = credential
            return credential
        }
    }
}

/// A world over a mock of the system's dialect.
struct MockWorld: World {
    private let mock: MockServer
    private let dialect: MockOptions.Dialect
    let ids: [ClientID]
    let strangers: [ClientID]
    let hasKeys: Bool
    let hasLogin: Bool
    private let refuses: Refused?
    let credentials = WorldCredentials()

    /// Writes that are sound by the contract and that a dialect refuses.
    enum Refused: Sendable {
        /// A day of 1700, of which no system of a living clinic has heard.
        case oldBirthday
    }

    init(_ people: [Person], _ options: MockOptions, hasKeys: Bool, hasLogin: Bool, refused: Refused?) async throws {
        var options = options
        options.people = people.map(MockPerson.init)
        dialect = options.dialect
        self.hasKeys = hasKeys
        self.hasLogin = hasLogin
        refuses = refused
        let mock = try await MockServer.start(options)
        self.mock = mock
        ids = people.indices.map { ClientID(mock.id(ofPerson: $0)) }
        strangers = (0..<mock.strangers).map { ClientID(mock.id(ofPerson: people.count + $0)) }
    }

    var baseURL: String { mock.baseURL }
    var absentID: ClientID { ClientID(mock.id(ofPerson: 900_000)) }

    var refused: (draft: ClientDraft, patch: ClientPatch)? {
        guard refuses == .oldBirthday, let birthday = Birthday(year: 1700, month: 1, day: 1),
            let phone = PhoneNumber("5531977770009"), let cpf = CPF("01234567890")
        else { return nil }
        return (
            ClientDraft(name: "Dora Exemplo Antiga", phone: phone, birthday: birthday, cpf: cpf),
            ClientPatch(birthday: birthday)
        )
    }

    func count(_ call: SystemCall) async -> Int { mock.requests.count(MockOperation(call)) }

    func canMake(_ trouble: Trouble) -> Bool { true }

    func make(_ trouble: Trouble, on call: SystemCall, times: Int?) async {
        mock.inject(MockFault(trouble), operation: MockOperation(call), times: times)
    }

    func calm() async { mock.clearFaults() }
    func expireTokens() async { mock.expireTokens() }
    func catchUp() async { mock.releaseReads() }

    func keepsakes(of id: ClientID) async -> [UInt8]? {
        (ids + strangers).firstIndex(of: id).flatMap { mock.keepsakes(ofPerson: $0) }
    }

    func limitPages(to rows: Int) async -> Bool { mock.limitPages(to: rows) }

    func colleague(_ changes: [ColleagueChange], of id: ClientID, before call: SystemCall) async -> Bool {
        guard let place = ids.firstIndex(of: id) else { return false }
        mock.change(person: place, changes.map(MockChange.init), before: MockOperation(call))
        return true
    }

    func close() async { await mock.stop() }
}

extension MockPerson {
    init(_ person: Person) {
        self.init(
            name: person.name, phones: person.phones.map(\.digits), cpf: person.cpf?.digits, email: person.email,
            birthday: person.birthday?.iso, notes: person.notes, photo: person.image)
    }
}

extension MockChange {
    init(_ change: ColleagueChange) {
        self =
            switch change {
            case .name(let name): .name(name)
            case .email(let address): .email(address)
            case .birthday(let day): .birthday(day.iso)
            case .phone(let number): .phone(number.digits)
            }
    }
}

extension MockOperation {
    init(_ call: SystemCall) {
        self =
            switch call {
            case .login: .login
            case .list: .list
            case .search: .search
            case .get: .get
            case .create: .create
            case .update: .update
            }
    }
}

extension MockFault {
    init(_ trouble: Trouble) {
        self =
            switch trouble {
            case .status(let code, let retryAfter): .status(code, retryAfter: retryAfter)
            case .errorInSuccess: .status(200, retryAfter: nil)
            case .foreign(let foreign): .foreign(ForeignAnswer(foreign))
            case .silence: .blackhole(before: false)
            case .reset: .reset(before: false)
            case .resetBefore: .reset(before: true)
            case .noReply: .noReply
            case .resetMidBody: .resetMidBody
            case .brokenChunk: .badChunk
            case .truncated: .truncate
            case .webPage: .html
            case .emptyBody: .empty
            case .brokenJSON: .badJSON
            }
    }
}

extension ForeignAnswer {
    init(_ foreign: Foreign) {
        self =
            switch foreign {
            case .gateway: .gateway
            case .framework: .framework
            case .bare: .bare
            case .quota: .quota
            case .collision: .collision
            }
    }
}
