public import ClientContract
import DriverSupport
import JSONBytes
public import UpstreamDriver

extension FHIRDriver {
    public func page(_ request: PageRequest, _ context: CallContext) async throws(UpstreamError) -> ClientPage {
        let plan = await settledPlan(context)
        guard plan.operations.contains(.list) else { throw .unsupported("it cannot list clients") }
        return try await page(Question(), request, plan, method: .get, context)
    }

    public func question(for term: SearchTerm, attempt: Int) -> SearchQuestion? {
        guard let question = Question(term, attempt: attempt, plan) else {
            return SearchQuestion(term, attempt: attempt)
        }
        guard !question.parameters.isEmpty else { return nil }
        return SearchQuestion(question.parameters.flatMap { [$0.name] + $0.values + [nil] })
    }

    public func candidates(
        for term: SearchTerm, attempt: Int, _ request: PageRequest, _ context: CallContext
    ) async throws(UpstreamError) -> ClientPage {
        let plan = await settledPlan(context)
        guard plan.operations.contains(.search), let question = Question(term, attempt: attempt, plan) else {
            throw .unsupported("it cannot search by \(term.kind.rawValue)")
        }
        // No such spelling of this term: nobody to find by it.
        guard !question.parameters.isEmpty else { return ClientPage(clients: [], more: false) }
        return try await page(question, request, plan, method: plan.searchMethod, context)
    }

    private func page(
        _ question: Question, _ request: PageRequest, _ plan: FHIRPlan, method: FHIRPlan.SearchMethod,
        _ context: CallContext
    ) async throws(UpstreamError) -> ClientPage {
        let (answer, call) = try await ask(question, request, plan, method: method, context)
        return try read(answer, call, question, request, plan)
    }

    /// Sends a search; its answer is a success, and not read yet.
    func ask(
        _ question: Question, _ request: PageRequest, _ plan: FHIRPlan, method: FHIRPlan.SearchMethod,
        _ context: CallContext
    ) async throws(UpstreamError) -> (FHIRAnswer, FHIRCall) {
        var call = FHIRCall(role: .search, url: caller.url(plan.paths.search), sent: question.texts)
        if plan.isStrict { call.headers.append(("Prefer", "handling=strict")) }
        if plan.noCache { call.headers.append(("Cache-Control", "no-cache")) }
        switch request.place {
        case .token(let token): call.url = token.text
        case .offset(0):
            var fields = question.parameters.map { ($0.name, $0.text) }
            fields.append(("_count", String(min(max(1, request.size), plan.pageSize))))
            if let sort = plan.sort { fields.append(("_sort", sort)) }
            let query = fields.map { PercentEncoding.encode($0.0) + "=" + PercentEncoding.encode($0.1) }
                .joined(separator: "&")
            switch method {
            case .get: call.url += "?" + query
            case .post:
                // Terms stay out of addresses, and out of logs of addresses.
                call.url += "/_search"
                call.method = "POST"
                call.headers.append(("Content-Type", "application/x-www-form-urlencoded"))
                call.body = Array(query.utf8)
            }
        case .offset: throw .unsupported("its pages are not numbered")
        }
        let answer = try await caller.send(call, context)
        guard answer.isSuccess else { throw caller.error(answer, call) }
        return (answer, call)
    }

    func read(
        _ answer: FHIRAnswer, _ call: FHIRCall, _ question: Question, _ request: PageRequest, _ plan: FHIRPlan
    ) throws(UpstreamError) -> ClientPage {
        guard let document = answer.document else { throw .malformed("the answer is not JSON") }
        if let outcome = answer.outcome { throw .failed(status: answer.status, said(outcome)) }
        let page: BundleReader.Page
        do throws(PatientReader.Fault) {
            page = try BundleReader(patients: reader(plan)).read(document)
        } catch {
            throw .malformed(error.message)
        }
        if let failure = page.failure { throw .failed(status: answer.status, said(failure)) }
        // Only the first page repeats the question.
        if plan.comparesSelfLink, case .offset = request.place,
            let name = SelfLink.missing(question.parameters, in: page.selfLink)
        {
            throw .malformed("its answer's self link shows that it ignored or changed the search parameter \"\(name)\"")
        }
        var result = ClientPage(clients: page.clients, rows: page.rows, total: page.total)
        if let next = page.next, !next.isEmpty {
            guard let link = SameOrigin.resolve(next, against: call.url) else {
                throw .malformed("its next link leads to another address")
            }
            result.next = PageToken(link)
            if case .token(let asked) = request.place, result.next == asked {
                throw .malformed("its next page is the page that was asked for")
            }
        }
        result.more = result.next != nil
        return result
    }

    private func said(_ outcome: OperationOutcome) -> String {
        outcome.codes.isEmpty
            ? "its answer holds an OperationOutcome instead of clients"
            : "its answer holds an OperationOutcome instead of clients (\(outcome.codes))"
    }
}

/// What a search asks: parameters that must all hold, each with values of which any may.
struct Question: Sendable {
    var parameters: [SelfLink.Parameter] = []
    /// The texts that are asked for, to be hidden in what comes back.
    var texts: [String] = []

    /// All clients.
    init() {}

    /// Nil where the plan has no such search; no parameters where the term has no such spelling.
    init?(_ term: SearchTerm, attempt: Int, _ plan: FHIRPlan) {
        guard let name = plan.parameters[term.kind]?.first else { return nil }
        switch term {
        case .phone(let phone):
            guard attempt == 0 else { return nil }
            // Every spelling of the number, and of its twin with the ninth digit added or left out, in one call.
            var values: [String] = []
            for line in [phone] + (phone.ninthDigitTwin.map { [$0] } ?? []) {
                for spelling in plan.phoneSearch {
                    if let text = spelling.write(line), !values.contains(text) { values.append(text) }
                }
            }
            add(name, values)
        case .cpf(let cpf):
            guard attempt == 0 else { return nil }
            let spellings = plan.cpf.search.map { $0.write(cpf) }
            var values = plan.cpf.read.flatMap { system in spellings.map { "\(system)|\($0)" } }
            // Identifiers that only their type makes a CPF may have any system, or none.
            if !plan.cpf.types.isEmpty { values = spellings }
            add(name, values)
            texts = spellings
        case .email(let email):
            guard attempt == 0 else { return nil }
            var values: [String] = []
            for spelling in plan.emailSearch {
                let text = spelling.write(email)
                if !values.contains(text) { values.append(text) }
            }
            add(name, values)
        case .name(let text):
            guard plan.nameSearch.indices.contains(attempt) else { return nil }
            for value in plan.nameSearch[attempt].values(text) { add(name, [value]) }
            texts += VendorReason.words(of: text)
        }
    }

    private mutating func add(_ name: String, _ values: [String]) {
        guard !values.isEmpty else { return }
        parameters.append(SelfLink.Parameter(name: name, values: values))
        texts += values
    }
}

extension SelfLink.Parameter {
    /// The alternatives as one value: those of a token's system and code are parted by a bar that is not escaped.
    var text: String { values.map { SelfLink.escaped($0, token: name.hasPrefix("identifier")) }.joined(separator: ",") }
}

extension SelfLink {
    /// FHIR R4, section 3.1.1.4.3: a backslash before what would part values.
    static func escaped(_ value: String, token: Bool) -> String {
        var result = String.UnicodeScalarView()
        var bars = 0
        for scalar in value.unicodeScalars {
            switch scalar {
            case "|" where token && bars == 0: bars += 1
            case "\\", ",", "$", "|": result.append("\\")
            default: break
            }
            result.append(scalar)
        }
        return String(result)
    }
}
