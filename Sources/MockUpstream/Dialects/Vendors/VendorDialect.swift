import JSONBytes

/// Plays a vendor's system: finds the route, checks what the request carries, reads or writes, and lets the vendor say
/// how it went.
struct VendorDialect: Dialect {
    private let system: VendorSystem
    /// What reads see.
    private var records: [VendorRecord] = []
    /// What was written and is not seen yet, oldest first; writes see it.
    private var pending: [(place: Int, record: VendorRecord, due: Double)] = []
    private let lag: Double
    /// Place by id, of those that are not seen yet too.
    private var places: [String: Int] = [:]
    /// When each access token runs out, in seconds of the mock's clock.
    private var tokens: [String: Double] = [:]
    /// Refresh tokens that were given and not used.
    private var refreshTokens: Set<String> = []
    private var firstIsSpent = false
    private var dice: Dice
    /// When the calls of the last stretch came.
    private var calls: [Double] = []
    private let countsCalls: Bool
    /// Most rows of a page, whatever the system says of its pages.
    private var mostRows = Int.max
    private(set) var strangers = 0

    var basePath: String { system.basePath }

    init(_ system: VendorSystem, _ options: MockOptions) {
        self.system = system
        countsCalls = options.callLimits
        lag = Double(options.staleReads)
        dice = Dice(options.seed, 0x70CE)
        let generator = PersonGenerator(options)
        records.reserveCapacity(options.rows)
        for place in 0..<options.rows { append(generator.person(place)) }
        guard options.strangers, let first = records.first?.members else { return }
        strangers = system.people.strangers.count
        for stranger in system.people.strangers {
            let id = system.people.id(records.count)
            append(VendorRecord(id: id, members: stranger(first, id), system.people))
        }
    }

    private mutating func append(_ person: Person) {
        let id = system.people.id(records.count)
        append(VendorRecord(id: id, members: system.people.record(person, records.count, id), system.people))
    }

    private mutating func append(_ record: VendorRecord) {
        places[record.id] = places[record.id] ?? records.count
        records.append(record)
    }

    // MARK: Routes

    private func route(of request: MockRequest) -> (route: VendorRoute, request: VendorRequest)? {
        guard let asked = VendorRequest(request, basePath: system.basePath) else { return nil }
        for route in system.routes where route.method == request.method {
            guard let found = asked.matching(route.path) else { continue }
            if let given = route.given, found[given] == nil { continue }
            return (route, found)
        }
        return nil
    }

    private func isLogin(_ request: MockRequest) -> Bool {
        system.login.map { request.path == system.basePath + $0.path } ?? false
    }

    func operation(of request: MockRequest) -> MockOperation {
        if isLogin(request) { return request.method == "POST" ? .login : .unknown }
        guard let (route, asked) = route(of: request) else { return .unknown }
        switch route.does {
        case .page(let page): return page.conditions(asked)?.isEmpty == true ? .list : .search
        case .one(let lookup): return lookup.isSearch ? .search : .get
        case .create: return .create
        case .update: return .update
        }
    }

    mutating func answer(to request: MockRequest, now: Double) -> MockAnswer {
        release(until: now)
        if isLogin(request) {
            guard request.method == "POST", let login = system.login,
                let asked = VendorRequest(request, basePath: system.basePath)
            else { return system.says(.wrongMethod) }
            return begin(login, asked, now)
        }
        guard let (route, asked) = route(of: request) else {
            let known = VendorRequest(request, basePath: system.basePath).map { asked in
                system.routes.contains { $0.given == nil && asked.matching($0.path) != nil }
            }
            return system.says(known == true ? .wrongMethod : .noRoute)
        }
        if let trouble = refusal(of: asked, now) ?? busy(asked, now) { return system.says(trouble) }
        switch route.does {
        case .page(let page): return show(page, asked)
        case .one(let lookup): return show(lookup, asked)
        case .create(let write): return create(write, asked, now)
        case .update(let write): return change(write, asked, now)
        }
    }

    mutating func expireTokens() { tokens = [:] }
    mutating func releaseReads() { release(until: .infinity) }

    mutating func limitPages(to rows: Int) -> Bool {
        mostRows = min(mostRows, rows)
        return system.routes.contains { route in
            guard case .page(let page) = route.does, !page.honoursSize else { return false }
            if case .none = page.paging { return false }
            return true
        }
    }

    func id(ofRow row: Int) -> String { latest(row)?.id ?? system.people.id(row) }

    func keepsakes(ofRow row: Int) -> [UInt8]? {
        guard !system.people.keepsakes.isEmpty, let record = latest(row) else { return nil }
        return MockJSON.object(
            system.people.keepsakes.map { name in
                MockJSON.Member(key: name, value: record.members[name] ?? .null)
            }
        ).bytes
    }

    // MARK: Who may call

    private mutating func begin(_ login: VendorLogin, _ request: VendorRequest, _ now: Double) -> MockAnswer {
        guard login.expects.allSatisfy({ request[$0.key] == $0.value }) else { return system.says(.credentialsWrong) }
        if let refresh = login.refresh {
            guard let given = request[refresh.parameter] else { return system.says(.credentialsMissing) }
            // Each works once, also the first.
            if given == refresh.first, !firstIsSpent {
                firstIsSpent = true
            } else if refreshTokens.remove(given) == nil {
                return system.says(.credentialsWrong)
            }
        }
        let token = "vendor." + secret()
        let refreshToken = "refresh." + secret()
        tokens = tokens.filter { $0.value > now }
        tokens[token] = now + Double(login.lifetime)
        refreshTokens.insert(refreshToken)
        return MockAnswer(200, json: login.gives(token, refreshToken, login.lifetime))
    }

    private mutating func secret() -> String {
        (0..<4).map { _ in Text.padded(dice.roll(100_000_000), to: 8) }.joined()
    }

    private func refusal(of request: VendorRequest, _ now: Double) -> VendorTrouble? {
        for demand in system.wants {
            switch demand {
            case .header(let name, let value):
                guard let given = request.header(name) else { return .credentialsMissing }
                if given != value, given != system.limit?.spent?.value { return .credentialsWrong }
            case .basic(let user, let password):
                guard let given = request.header("Authorization") else { return .credentialsMissing }
                if given != "Basic " + Text.base64(Array("\(user):\(password)".utf8)) { return .credentialsWrong }
            case .parameter(let name, let value):
                guard let given = request[name] else {
                    return .invalid([VendorFault(field: name, message: "is required")])
                }
                if given != value { return .credentialsWrong }
            case .session(let header, let scheme):
                guard let given = request.header(header) else { return .credentialsMissing }
                let named = given.lowercased().hasPrefix(scheme.lowercased())
                guard named, let end = tokens[String(given.dropFirst(scheme.count))], end > now else {
                    return .credentialsWrong
                }
            case .holds(let header, let text):
                guard request.header(header)?.contains(text) == true else {
                    return .invalid([VendorFault(field: header, message: "\(header) must hold \(text)")])
                }
            }
        }
        return nil
    }

    private mutating func busy(_ request: VendorRequest, _ now: Double) -> VendorTrouble? {
        guard let limit = system.limit else { return nil }
        if let spent = limit.spent, request.header(spent.header) == spent.value { return .tooManyCalls(seconds: nil) }
        guard countsCalls else { return nil }
        calls.removeAll { $0 + limit.seconds <= now }
        guard calls.count >= limit.calls, let first = calls.first else {
            calls.append(now)
            return nil
        }
        let wait = (first + limit.seconds - now).rounded(.up)
        return .tooManyCalls(seconds: limit.spent == nil ? Int(wait) : nil)
    }

    // MARK: Reading

    private func show(_ page: VendorPage, _ request: VendorRequest) -> MockAnswer {
        guard let conditions = page.conditions(request) else {
            return system.says(.invalid([VendorFault(field: "filter", message: "is not understood")]))
        }
        if conditions.isEmpty, let demanded = page.demands { return system.says(.invalid([demanded])) }
        let all = conditions + page.scope(request)
        let found = all.isEmpty ? records : records.filter { record in all.allSatisfy { $0(record) } }
        let window: (first: Int, size: Int, page: Int)
        do throws(Unreadable) {
            window = try self.window(page, request, all: found.count)
        } catch {
            return system.says(.invalid([error.fault]))
        }
        let shown = page.shown(request)
        let rows = found.dropFirst(window.first).prefix(window.size).map { record in
            chosen(system.people.row(record.members), shown)
        }
        let result = VendorPage.Rows(
            rows: Array(rows), total: found.count, first: window.first, page: window.page, size: window.size)
        return MockAnswer(200, json: page.envelope(result))
    }

    private func sizeName(_ page: VendorPage) -> String? {
        switch page.paging {
        case .none: nil
        case .offset(_, let name, _, _), .numbers(_, let name, _, _): name
        }
    }

    private struct Unreadable: Error { let fault: VendorFault }

    private func window(
        _ page: VendorPage, _ request: VendorRequest, all: Int
    ) throws(Unreadable) -> (first: Int, size: Int, page: Int) {
        func count(_ name: String, from least: Int, usual: Int, most: Int) throws(Unreadable) -> Int {
            guard let text = request[name] else { return name == sizeName(page) ? min(usual, mostRows) : usual }
            guard let value = Int(text), value >= least, value <= most || !page.refusesLargePages else {
                throw Unreadable(fault: VendorFault(field: name, message: "must be from \(least) to \(most)"))
            }
            return min(value, most, name == sizeName(page) ? mostRows : .max)
        }
        switch page.paging {
        case .none: return (0, max(1, all), 1)
        case .offset(let offset, let limit, let usual, let most):
            let size = try count(limit, from: 1, usual: usual, most: most)
            return (try count(offset, from: 0, usual: 0, most: .max), size, 1)
        case .numbers(let number, let name, let usual, let most):
            let size = try count(name, from: 1, usual: usual, most: most)
            let page = try count(number, from: 1, usual: 1, most: .max / 10_000)
            return ((page - 1) * size, size, page)
        }
    }

    private func show(_ lookup: VendorLookup, _ request: VendorRequest) -> MockAnswer {
        guard let wanted = lookup.asks(request),
            let record = records.first(where: { lookup.filter.fits(wanted, $0) })
        else {
            return lookup.nobody ?? system.says(.absent(writing: false))
        }
        return MockAnswer(
            200, json: lookup.envelope(chosen(system.people.detail(record.members), lookup.shown(request))))
    }

    private func chosen(_ record: MockJSON, _ names: [String]?) -> MockJSON {
        guard let names else { return record }
        return .object(record.members.filter { names.contains($0.key) })
    }

    // MARK: Writing; it sees what reads do not see yet.

    /// How many there are, those that are not seen yet among them.
    private var count: Int { max(records.count, (pending.last { $0.place >= records.count }?.place ?? -1) + 1) }

    private func latest(_ place: Int) -> VendorRecord? {
        if let written = pending.last(where: { $0.place == place }) { return written.record }
        return records.indices.contains(place) ? records[place] : nil
    }

    private var everybody: [VendorRecord] { pending.isEmpty ? records : (0..<count).compactMap(latest) }

    private mutating func keep(_ record: VendorRecord, at place: Int, _ now: Double) {
        places[record.id] = places[record.id] ?? place
        guard lag > 0 else { return show(record, at: place) }
        pending.append((place, record, now + lag))
    }

    private mutating func release(until now: Double) {
        while let first = pending.first, first.due <= now {
            pending.removeFirst()
            show(first.record, at: first.place)
        }
    }

    private mutating func show(_ record: VendorRecord, at place: Int) {
        if place < records.count { records[place] = record } else { records.append(record) }
    }

    private mutating func create(_ write: VendorWrite, _ request: VendorRequest, _ now: Double) -> MockAnswer {
        guard let sent = write.record(request), sent.isObject else { return system.says(.badBody) }
        if let trouble = faults(write, sent) { return system.says(trouble) }
        let place = count
        let id = system.people.id(place)
        let blank = system.people.record(Person(name: ""), place, id)
        let members = merged(blank, write.keeps(sent), write)
        let record = VendorRecord(id: id, members: members, system.people)
        for other in everybody {
            if let fault = write.collides(record, other, request) { return system.says(.duplicate(fault)) }
        }
        keep(record, at: place, now)
        return answer(write, record)
    }

    private mutating func change(_ write: VendorWrite, _ request: VendorRequest, _ now: Double) -> MockAnswer {
        guard let sent = write.record(request), sent.isObject else { return system.says(.badBody) }
        guard let id = write.id(request), let place = places[id], let known = latest(place) else {
            return system.says(.absent(writing: true))
        }
        if let trouble = faults(write, sent) { return system.says(trouble) }
        let base = write.replaces ? system.people.record(Person(name: ""), place, id) : known.members
        let record = VendorRecord(id: id, members: merged(base, write.keeps(sent), write), system.people)
        for other in everybody where other.id != id {
            if let fault = write.collides(record, other, request) { return system.says(.duplicate(fault)) }
        }
        keep(record, at: place, now)
        return answer(write, record)
    }

    mutating func change(_ change: MockChange, ofRow row: Int, now: Double) {
        guard let known = latest(row) else { return }
        let blank = system.people.record(.nobody, row, known.id)
        let members = known.members.changed(
            from: blank, to: system.people.record(change.person, row, known.id))
        keep(VendorRecord(id: known.id, members: members, system.people), at: row, now)
    }

    private func faults(_ write: VendorWrite, _ sent: MockJSON) -> VendorTrouble? {
        let broken = write.rules.filter { !$0.holds(sent) }
        return broken.isEmpty ? nil : .invalid(broken.map { VendorFault(field: $0.member, message: $0.message) })
    }

    private func merged(_ base: MockJSON, _ sent: MockJSON, _ write: VendorWrite) -> MockJSON {
        var record = base
        for member in sent.members where write.writable.contains(member.key) {
            // A group of members is one only where it replaces; else what it lacks stays.
            if !write.replaces, member.value.isObject, var group = record[member.key], group.isObject {
                for inner in member.value.members { group[inner.key] = inner.value }
                record[member.key] = group
            } else {
                record[member.key] = member.value
            }
        }
        return record
    }

    private func answer(_ write: VendorWrite, _ record: VendorRecord) -> MockAnswer {
        MockAnswer(
            write.status, json: write.answer(record.id, system.people.detail(record.members)),
            headers: write.headers(record.id))
    }
}
