import Bridge
import ClientContract
import UpstreamDriver

/// A world with people in it, and a driver before it that a check calls as Ponte would.
struct Stage: Sendable {
    let subject: Subject
    let world: any World
    let driver: any UpstreamDriver
    let bridge: Bridge
    private let roles: [Role]

    /// - Parameter keys: what the driver gets.
    init(_ subject: Subject, _ audience: Audience, keys: Keys = .good) async throws {
        self.subject = subject
        roles = audience == .nobody ? [] : Role.cast(without: subject.gaps)
        // A world leaves out what it has no room for: what is stated as a gap, and is none, shows.
        var people = roles.map { role in
            var person = role.person
            person.phones = person.without(subject.gaps).phones
            return person
        }
        if audience == .crowd {
            let rows = Stage.rows(subject.capabilities.listPaging)
            people += Role.crowd(rows - people.count)
        }
        world = try await subject.world(people)
        do {
            driver = try subject.driver(world, keys)
        } catch {
            await world.close()
            throw error
        }
        bridge = Stage.bridge(driver, Stage.options(subject.capabilities))
    }

    private static func rows(_ paging: Capabilities.Paging) -> Int {
        min(2 * (paging.fixed ?? paging.maximum) + 7, 1_207)
    }

    /// The number of people on record.
    var people: Int { world.ids.count }

    // MARK: Bridges

    private static func bridge(_ driver: any UpstreamDriver, _ options: BridgeOptions) -> Bridge {
        Bridge(driver: driver, options: options)
    }

    private static func options(_ capabilities: Capabilities) -> BridgeOptions {
        let kinds = TermKind.allCases.filter { capabilities.searches[$0]?.isEmpty == false }
        return BridgeOptions(searchBy: kinds)
    }

    /// Another Bridge over the same driver.
    func bridge(_ change: (inout BridgeOptions) -> Void) -> Bridge {
        var options = bridge.options
        change(&options)
        return Stage.bridge(driver, options)
    }

    /// A Bridge over a driver with other keys, to the same world.
    func bridge(keys: Keys) throws -> Bridge { Stage.bridge(try subject.driver(world, keys), bridge.options) }

    /// A Bridge that searches by one kind only.
    func bridge(searching kind: TermKind) -> Bridge { bridge { $0.searchBy = [kind] } }

    func context(_ patience: Duration = .seconds(60)) -> CallContext {
        CallContext(deadline: .now + patience, requestID: "conformance")
    }

    // MARK: Calls

    /// Everybody of a window.
    func list(
        _ window: Window = Window(), _ patience: Duration = .seconds(60), by other: Bridge? = nil
    ) async throws -> [Client] {
        var pages = (other ?? bridge).list(window, context(patience))
        var clients: [Client] = []
        while let page = try await pages.next() { clients += page }
        return clients
    }

    func search(_ term: String, _ kind: TermKind, _ window: Window = Window()) async throws -> [Client] {
        try await bridge(searching: kind).search(term, window, context())
    }

    /// The kind that is searched by where any will do: by phone if the system can.
    static func anyKind(_ capabilities: Capabilities) -> TermKind? {
        TermKind.allCases.first { capabilities.searches[$0]?.isEmpty == false }
    }

    /// Searches for somebody who is there, by any kind.
    /// - Returns: how many were found.
    func searchAny(_ patience: Duration = .seconds(60)) async throws -> Int {
        guard let kind = Stage.anyKind(subject.capabilities) else { throw Inapplicable(reason: "no search") }
        let term = kind == .phone ? PhoneNumber.family.digits : kind.sample
        return try await bridge(searching: kind).search(term, Window(), context(patience)).count
    }

    /// The calls that `searchAny` makes: where a lookup shows the whole record, a system may not tell the two apart.
    var searchCalls: [SystemCall] { Stage.anyKind(subject.capabilities) == .phone ? [.search] : [.search, .get] }

    /// Asks for one client who is there: by id, or by a search where that is all there is.
    func readOne(_ patience: Duration = .seconds(60)) async throws {
        if subject.capabilities.operations.contains(.get) {
            _ = try await bridge.client(id(.complete), context(patience))
        } else {
            _ = try await searchAny(patience)
        }
    }

    /// The calls that `readOne` makes.
    var readCalls: [SystemCall] { subject.capabilities.operations.contains(.get) ? [.get] : searchCalls }

    func make(_ trouble: Trouble, on calls: [SystemCall]) async {
        for call in calls { await world.make(trouble, on: call, times: nil) }
    }

    func count(_ calls: [SystemCall]) async -> Int {
        var sum = 0
        for call in calls { sum += await world.count(call) }
        return sum
    }

    func get(_ role: Role) async throws -> Client { try await bridge.client(id(role), context()) }

    /// - Parameter draft: goes without the members that the system has no room for.
    func create(
        _ draft: ClientDraft, _ patience: Duration = .seconds(60), by other: Bridge? = nil
    ) async throws -> Client {
        try await (other ?? bridge).create(fitting(draft), context(patience))
    }

    func update(
        _ role: Role, _ patch: ClientPatch, _ patience: Duration = .seconds(60), by other: Bridge? = nil
    ) async throws -> Client {
        try await (other ?? bridge).update(id(role), patch, context(patience))
    }

    /// Asks for what is always there, so that logins and connections are there, too.
    func warmUp() async throws {
        let operations = subject.capabilities.operations
        if operations.contains(.list) {
            _ = try await list(Window(limit: 1))
        } else if operations.contains(.get) {
            _ = try await get(.complete)
        } else if let kind = bridge.options.searchBy.first {
            _ = try await search(kind.sample, kind)
        }
    }

    // MARK: Gaps

    /// A draft without the members that the system has no room for.
    /// - Throws: `Inapplicable` for somebody whom it cannot keep at all.
    func fitting(_ draft: ClientDraft) throws -> ClientDraft {
        var fitting = draft
        if !keeps(.cpf) { fitting.cpf = nil }
        if !keeps(.email) { fitting.email = nil }
        if !keeps(.birthday) { fitting.birthday = nil }
        var needed = [draft.phone.gap].compactMap { $0 }
        if fitting.cpf == nil { needed += [.peopleWithoutCPF, .createsWithoutCPF] }
        if fitting.email == nil { needed.append(.createsWithoutEmail) }
        if fitting.birthday == nil { needed.append(.createsWithoutBirthday) }
        for gap in needed {
            if let reason = subject.gaps[gap] { throw Inapplicable(reason: reason) }
        }
        return fitting
    }

    /// Whether a create keeps a member.
    func keeps(_ field: ClientField) -> Bool { !has(.member(field)) && !has(.creating(field)) }

    func has(_ gap: Gap) -> Bool { subject.gaps[gap] != nil }

    /// A change that the system can make.
    func change() throws -> ClientPatch {
        let patches: [(ClientField, ClientPatch)] = [
            (.email, ClientPatch(email: "outra@example.test")), (.name, ClientPatch(name: "Ana Exemplo Outra")),
            (.birthday, ClientPatch(birthday: .on(1992, 2, 29))),
        ]
        let fixed = subject.capabilities.unchangeable
        // The same change is made of several people.
        let free = patches.filter { $0.0 != .email || !has(.sharedEmails) }
        guard let patch = free.first(where: { !fixed.contains($0.0) && !has(.member($0.0)) })?.1 else {
            throw Inapplicable(reason: "the system can change no member")
        }
        return patch
    }

    // MARK: People

    /// A person as they are on record.
    func person(_ role: Role) -> Person { role.person.without(subject.gaps) }

    func id(_ role: Role) throws -> ClientID {
        guard let place = roles.firstIndex(of: role), place < world.ids.count else {
            throw Inapplicable(reason: "nobody of that part is on record")
        }
        return world.ids[place]
    }

    /// People by their parts, for messages: ids of others are only counted.
    func names(_ ids: [ClientID]) -> String {
        var names: [String] = []
        var others = 0
        for id in ids {
            if let place = world.ids.firstIndex(of: id), place < roles.count {
                names.append(roles[place].rawValue)
            } else {
                others += 1
            }
        }
        if others > 0 { names.append("\(others) other\(others == 1 ? "" : "s")") }
        return names.isEmpty ? "nobody" : names.joined(separator: ", ")
    }

    /// Holds if exactly these people came, in any order.
    func confirm(_ clients: [Client], are roles: [Role]) throws {
        let wanted = try roles.filter(self.roles.contains).map(id)
        if wanted.isEmpty, !roles.isEmpty { throw Inapplicable(reason: "nobody of that part is on record") }
        guard Set(clients.map(\.id)) == Set(wanted), clients.count == wanted.count else {
            throw Mismatch(expected: names(wanted), came: names(clients.map(\.id)))
        }
    }

    /// The record as it stands after all writes.
    func read(_ id: ClientID) async throws -> Client {
        await world.catchUp()
        return try await bridge.client(id, context())
    }
}

extension TermKind {
    /// A term of this kind that finds `Role.complete`.
    var sample: String {
        switch self {
        case .phone: "5531988880001"
        case .cpf: "30000000116"
        case .email: "ana@example.test"
        case .name: "Ana Exemplo"
        }
    }
}

// MARK: Expectations

func expect(_ holds: Bool, _ expected: @autoclosure () -> String, _ came: @autoclosure () -> String) throws {
    if !holds { throw Mismatch(expected: expected(), came: came()) }
}

/// Runs a call that must fail with one of these codes.
@discardableResult
func expectFailure<Value>(
    _ codes: [String], _ call: () async throws -> Value
) async throws -> ContractError {
    let expected = "an error: " + codes.joined(separator: " or ")
    do {
        _ = try await call()
    } catch let error as ContractError {
        guard codes.contains(error.code.rawValue) else {
            throw Mismatch(expected: expected, came: "the error \(error.code.rawValue)")
        }
        return error
    }
    throw Mismatch(expected: expected, came: "a success")
}

/// Codes by what they say of the clinic's system. Texts, so that a kit and a Ponte that do not know each other's newest
/// codes still understand each other.
enum Codes {
    static let notFound = ["no_such_client"]
    static let refused = ["refused_by_system"]
    static let unknown = ["outcome_unknown"]
    /// Others changed the record at the same time.
    static let interrupted = ["system_failed", "refused_by_system", "outcome_unknown"]
    static let credentials = ["system_credentials_rejected"]
    /// It could not be spoken with, or said that it failed, or nothing that makes sense; a breaker may have seen enough.
    static let failed = [
        "system_unreachable", "system_failed", "system_answer_malformed", "circuit_open", "saturated",
    ]
    static let late = ["deadline_passed", "circuit_open", "saturated", "system_silent"]
}
