import ClientContract
import Synchronization
import UpstreamDriver

/// A clinic's system in memory with every way of paging, honest or not. What it was asked is on record.
final class ModelClinic: UpstreamDriver {
    /// What becomes of a row of the table on its way out.
    enum RowFate: Sendable {
        case shown
        /// The driver passes it over and says that a row came.
        case inactive
        /// The system drops it from the page, which is short then.
        case dropped
    }

    enum Call: Sendable, Equatable {
        case page(Int, Int), token, candidates(TermKind, Int), client(String), create, update
    }

    enum EndSign: Sendable, CaseIterable { case total, flag, nothing }

    struct Paging: Sendable {
        var style = Capabilities.PageStyle.offset
        /// What the system serves at most, whatever it is asked for.
        var cap = 100
        /// It serves pages of this size, whatever it is asked for.
        var fixed: Int?
        var endSign = EndSign.nothing
        /// It sends everything for every page.
        var ignoresPaging = false
        /// Beyond the end it sends its last page again.
        var clamps = false
        /// From this row on the same page comes for ever.
        var sticksAt: Int?
        /// From this row on the tokens lead back to the beginning.
        var circlesAt: Int?
        /// Every page has a new token, and holds the same rows.
        var freshTokens = false
        /// It always says that more follow.
        var alwaysMore = false
    }

    /// What a create does.
    enum Creation: Sendable {
        case record, id
        /// It answers this record's id and creates nothing.
        case reuses(String)
        case fails(UpstreamError)
        /// It creates, and the answer is lost.
        case createsAndFails(UpstreamError)
    }

    enum Change: Sendable {
        case record, id
        case fails(UpstreamError)
        /// It answers with another client.
        case other(String)
    }

    struct State {
        var people: [Person] = []
        var fates: [RowFate] = []
        var paging = Paging()
        var rowLacks: Set<ClientField> = []
        /// Which people an attempt finds; nil: those that match.
        var found: (@Sendable (SearchTerm, Int, Person) -> Bool)?
        var searchPaging = Paging()
        /// What an attempt asks; nil: something of its own.
        var question: (@Sendable (SearchTerm, Int) -> SearchQuestion?)?
        var creation = Creation.record
        var change = Change.record
        var ignoredByChange: Set<ClientField> = []
        /// People that cannot be read yet.
        var invisible: Set<String> = []
        /// People whom searches and lists show, and of whom the call for one says "not found".
        var denied: Set<String> = []
        /// People who are deleted at the moment they are asked for one by one.
        var vanishing: Set<String> = []
        /// What the calls of these numbers, from 0, end with.
        var failures: [Int: UpstreamError] = [:]
        var detailFailure: UpstreamError?
        /// Before a page goes out, with the number of pages so far.
        var beforePage: (@Sendable (inout State, Int) -> Void)?
        /// What single clients are answered as.
        var spelledIDs: [String: String] = [:]
        var calls: [Call] = []
        var pages = 0
        var inFlight = 0
        var mostInFlight = 0
    }

    let capabilities: Capabilities
    let state: Mutex<State>
    /// Details wait until so many are under way, once.
    private let barrier: Barrier?

    init(_ people: [Person], _ capabilities: Capabilities, paging: Paging = Paging(), barrier: Int? = nil) {
        self.capabilities = capabilities
        var start = State()
        start.people = people
        start.paging = paging
        start.rowLacks = capabilities.needsDetail
        state = Mutex(start)
        self.barrier = barrier.map { Barrier($0) }
    }

    var calls: [Call] { state.withLock { $0.calls } }
    func set(_ change: @Sendable (inout State) -> Void) { state.withLock { change(&$0) } }

    private static func note(_ call: Call, _ state: inout State) -> UpstreamError? {
        state.calls.append(call)
        return state.failures[state.calls.count - 1]
    }

    // MARK: Reading

    func page(_ request: PageRequest, _ context: CallContext) async throws(UpstreamError) -> ClientPage {
        let answer = state.withLock { state -> Result<ClientPage, UpstreamError> in
            let call: Call = if case .offset(let offset) = request.place { .page(offset, request.size) } else { .token }
            if let error = Self.note(call, &state) { return .failure(error) }
            state.beforePage?(&state, state.pages)
            state.pages += 1
            let rows = state.people.enumerated().map { index, person in
                (person.client(lacking: state.rowLacks), index < state.fates.count ? state.fates[index] : .shown)
            }
            return Self.serve(rows, request, state.paging, count: state.pages)
        }
        return try answer.get()
    }

    func question(for term: SearchTerm, attempt: Int) -> SearchQuestion? {
        guard let question = state.withLock({ $0.question }) else { return SearchQuestion(term, attempt: attempt) }
        return question(term, attempt)
    }

    func candidates(
        for term: SearchTerm, attempt: Int, _ request: PageRequest, _ context: CallContext
    ) async throws(UpstreamError) -> ClientPage {
        let answer = state.withLock { state -> Result<ClientPage, UpstreamError> in
            if let error = Self.note(.candidates(term.kind, attempt), &state) { return .failure(error) }
            let found = state.found ?? { term, _, person in term.matches(person.client()) }
            let rows = state.people.filter { found(term, attempt, $0) && !state.invisible.contains($0.id) }
            return Self.serve(
                rows.map { ($0.client(lacking: state.rowLacks), .shown) }, request, state.searchPaging, count: 0)
        }
        return try answer.get()
    }

    /// Ids that begin with "!" are of another form.
    func canExist(_ id: ClientID) -> Bool { !id.text.hasPrefix("!") }

    func client(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Client {
        state.withLock { state in
            state.inFlight += 1
            state.mostInFlight = max(state.mostInFlight, state.inFlight)
        }
        defer { state.withLock { $0.inFlight -= 1 } }
        await barrier?.arrive()
        let answer = state.withLock { state -> Result<Client, UpstreamError> in
            if let error = Self.note(.client(id.text), &state) { return .failure(error) }
            if let error = state.detailFailure { return .failure(error) }
            if state.denied.contains(id.text) { return .failure(.notFound) }
            if state.vanishing.contains(id.text) { state.people.removeAll { $0.id == id.text } }
            guard var person = state.people.first(where: { $0.id == id.text }), !state.invisible.contains(id.text)
            else {
                return .failure(.notFound)
            }
            person.id = state.spelledIDs[id.text] ?? id.text
            return .success(person.client())
        }
        return try answer.get()
    }

    private static func serve(
        _ rows: [(Client, RowFate)], _ request: PageRequest, _ paging: Paging, count: Int
    ) -> Result<ClientPage, UpstreamError> {
        let size = paging.fixed ?? min(request.size, paging.cap)
        var start = 0
        switch (paging.style, request.place) {
        case (.offset, .offset(let offset)): start = offset
        case (.numbered, .offset(let offset)):
            guard offset % request.size == 0 else { return .failure(.unsupported("not a page")) }
            start = offset / request.size * size
        case (.token, .token(let token)): start = Int(token.text.prefix { $0 != "#" }) ?? -1
        case (.token, .offset(0)), (.single, .offset(0)): break
        default: return .failure(.unsupported("not its style"))
        }
        if let stuck = paging.sticksAt { start = min(start, stuck) }
        if paging.clamps, start >= rows.count { start = max(0, rows.count - 1) / size * size }
        var end = min(start + size, rows.count)
        if paging.ignoresPaging || paging.style == .single { (start, end) = (0, rows.count) }
        let served = start < end ? Array(rows[start..<end]) : []
        let sent = served.filter { $0.1 != .dropped }
        var page = ClientPage(clients: sent.filter { $0.1 == .shown }.map(\.0), rows: sent.count)
        switch paging.endSign {
        case .total: page.total = rows.count
        case .flag: page.more = start + size < rows.count || paging.alwaysMore
        case .nothing: break
        }
        if paging.style == .token {
            if start + size < rows.count { page.next = PageToken("\(start + size)") }
            if let circle = paging.circlesAt, start >= circle { page.next = PageToken("\(size)") }
            if paging.freshTokens { page.next = PageToken("0#\(count)") }
        }
        return .success(page)
    }

    // MARK: Writing

    func create(_ draft: ClientDraft, _ context: CallContext) async throws(UpstreamError) -> WriteAnswer {
        let answer = state.withLock { state -> Result<WriteAnswer, UpstreamError> in
            if let error = Self.note(.create, &state) { return .failure(error) }
            let person = Person(
                id: "new-\(state.people.count)", name: draft.name, phones: [draft.phone], cpf: draft.cpf,
                email: draft.email, birthday: draft.birthday)
            switch state.creation {
            case .record:
                state.people.append(person)
                return .success(.record(person.client()))
            case .id:
                state.people.append(person)
                return .success(.id(ClientID(person.id)))
            case .reuses(let id): return .success(.id(ClientID(id)))
            case .fails(let error): return .failure(error)
            case .createsAndFails(let error):
                state.people.append(person)
                return .failure(error)
            }
        }
        return try answer.get()
    }

    func update(
        _ id: ClientID, _ patch: ClientPatch, _ context: CallContext
    ) async throws(UpstreamError) -> WriteAnswer {
        let answer = state.withLock { state -> Result<WriteAnswer, UpstreamError> in
            if let error = Self.note(.update, &state) { return .failure(error) }
            if case .fails(let error) = state.change { return .failure(error) }
            guard let index = state.people.firstIndex(where: { $0.id == id.text }) else { return .failure(.notFound) }
            let ignored = state.ignoredByChange
            if let name = patch.name, !ignored.contains(.name) { state.people[index].name = name }
            if let email = patch.email, !ignored.contains(.email) { state.people[index].email = email }
            if let cpf = patch.cpf, !ignored.contains(.cpf) { state.people[index].cpf = cpf }
            if let day = patch.birthday, !ignored.contains(.birthday) { state.people[index].birthday = day }
            switch state.change {
            case .record: return .success(.record(state.people[index].client()))
            case .id: return .success(.id(id))
            case .other(let other):
                let person = Person(id: other)
                return .success(.record(person.client()))
            case .fails(let error): return .failure(error)
            }
        }
        return try answer.get()
    }
}

/// Holds calls back until enough of them are there.
private final class Barrier: Sendable {
    private struct State {
        var missing: Int
        var waiters: [CheckedContinuation<Void, Never>] = []
    }
    private let state: Mutex<State>

    init(_ count: Int) { state = Mutex(State(missing: count)) }

    func arrive() async {
        await withCheckedContinuation { waiter in
            let free = state.withLock { state -> [CheckedContinuation<Void, Never>] in
                state.waiters.append(waiter)
                state.missing -= 1
                guard state.missing <= 0 else { return [] }
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in free { waiter.resume() }
        }
    }
}

extension Capabilities {
    /// Everything, searchable by every kind, unless told otherwise.
    static func model(
        _ listPaging: Paging = Paging(.offset), searches: [TermKind] = TermKind.allCases, attempts: Int = 1,
        trust: Trust = .superset, needsDetail: Set<ClientField> = [], skipsRows: Bool = false,
        duplicates: DuplicatePolicy = .creates, unchangeable: Set<ClientField> = [], staleReads: Duration = .zero,
        without: Set<Operation> = [], provesAbsence: Bool = true
    ) -> Capabilities {
        let attempt = Attempt(trust: trust, paging: Paging(.offset))
        return Capabilities(
            system: "Modelo", operations: Set(Operation.allCases).subtracting(without), listPaging: listPaging,
            searches: Dictionary(
                uniqueKeysWithValues: searches.map { ($0, Array(repeating: attempt, count: attempts)) }),
            needsDetail: needsDetail, skipsRows: skipsRows, duplicates: duplicates, unchangeable: unchangeable,
            staleReads: staleReads, provesAbsence: provesAbsence)
    }
}
