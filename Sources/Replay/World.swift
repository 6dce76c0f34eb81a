import JSONBytes
import MockUpstream
import StrictConfig
import Tenancy

/// Something that a spec wants and that did not come.
struct SpecFailure: Sendable {
    let spec: Spec
    let step: Step?
    let message: String
    let differences: [Difference]

    init(_ spec: Spec, _ step: Step?, _ message: String, _ differences: [Difference]) {
        self.spec = spec
        self.step = step
        self.message = message
        self.differences = differences
    }
}

/// One spec, played: a pretend clinic system and Ponte, each on a port of its own.
struct World {
    let spec: Spec
    /// The folder of profiles that a spec can name.
    let drivers: String
    let scratch: ScratchFolder

    /// Plays all steps; a step that fails ends the world, since those that follow build on it.
    /// - Throws: when a server does not start or stop.
    func play() async throws -> [SpecFailure] {
        let files: WorldFiles
        do {
            files = try spec.tenant.files(drivers: drivers, server: spec.server?.value)
        } catch {
            return [SpecFailure(spec, nil, error.message, [])]
        }
        let script: MockScript?
        let mock: MockServer
        switch spec.system {
        case .script(let always):
            let login = spec.tenant.hasKnownLogin ? [Self.login] : []
            let made = MockScript(always: always.map(\.mock) + login)
            script = made
            mock = try await MockServer.start(made)
        case .dialect(let dialect, let patients, let staleReads):
            script = nil
            mock = try await MockServer.start(
                MockOptions(dialect: dialect, patients: patients, staleReads: staleReads))
        }
        let failures: [SpecFailure]
        do {
            failures = try await play(files, mock, script)
        } catch {
            await mock.stop()
            throw error
        }
        await mock.stop()
        return failures
    }

    private func play(_ files: WorldFiles, _ mock: MockServer, _ script: MockScript?) async throws -> [SpecFailure] {
        let serverFile = try scratch.write(files)
        let secrets = SecretSource(environment: { files.secrets[$0] })
        let configuration = Configuration(
            serverFile: serverFile, options: .init(secrets: secrets, baseURLs: [SpecTenant.id: mock.baseURL]))
        guard configuration.faults.isEmpty else {
            return configuration.faults.map { fault in
                let file = fault.file.split(separator: "/").suffix(2).joined(separator: "/")
                let what = file.hasPrefix("tenants") ? "tenant" : file.hasPrefix("drivers") ? "profile" : "server"
                return SpecFailure(spec, nil, "the \(what)'s file: \(fault.pointer): \(fault.message)", [])
            }
        }
        let ponte = try await LocalPonte.start(configuration, key: SpecTenant.key)
        var failures: [SpecFailure] = []
        for step in spec.steps where failures.isEmpty {
            failures = await play(step, ponte.caller, mock, script)
        }
        try await ponte.stop()
        return failures
    }

    private func play(
        _ step: Step, _ caller: LocalCaller, _ mock: MockServer, _ script: MockScript?
    ) async -> [SpecFailure] {
        mock.requests.reset()
        switch step.upstream {
        case .script(let groups): script?.expect(groups.map { $0.map(\.mock) })
        case .calls(_, let faults):
            for rule in faults { mock.inject(rule.fault, operation: rule.operation, times: rule.times) }
        }
        let inbound = step.inbound
        let answer = await caller.call(inbound.method, inbound.target, headers: inbound.headers, body: inbound.body)
        mock.clearFaults()
        // Calls first: they explain the answer.
        var failures: [SpecFailure] = []
        switch step.upstream {
        case .script(let groups):
            if let script { failures += deviations(script.finish(), groups, step) }
        case .calls(let calls, _): failures += deviations(mock.requests.counts, calls, step)
        }
        let differences = step.outcome.differences(from: answer)
        if !differences.isEmpty { failures.append(SpecFailure(spec, step, "another answer", differences)) }
        return failures
    }

    /// What came otherwise than the script says. A request that no exchange accepts is shown beside the one that it
    /// resembles most.
    private func deviations(
        _ report: MockScript.Report, _ groups: [[Exchange]], _ step: Step
    ) -> [SpecFailure] {
        var explained: Set<MockScript.Report.Place> = []
        var failures: [SpecFailure] = []
        let place = step.pointer.appending("upstream")
        for unexpected in report.unexpected.prefix(3) {
            let request = unexpected.request
            let nearest = unexpected.awaited.filter { !explained.contains($0) }
                .map { ($0, groups[$0.group][$0.index].expected.differences(from: request)) }
                .min { $0.1.count < $1.1.count }
            let line = "\(request.method) \(request.path)\(request.query.isEmpty ? "" : "?\(request.query)")"
            guard let nearest else {
                let difference = Difference(pointer: place, want: "no more calls", got: line)
                failures.append(SpecFailure(spec, step, "a call that was not expected", [difference]))
                continue
            }
            explained.insert(nearest.0)
            failures.append(SpecFailure(spec, step, "another call than expected: \(line)", nearest.1))
        }
        let missing = report.missing.filter { !explained.contains($0) }.map { place in
            let exchange = groups[place.group][place.index]
            return Difference(
                pointer: exchange.pointer, want: "\(exchange.expected.method) \(exchange.expected.path)",
                got: "no such call")
        }
        if !missing.isEmpty { failures.append(SpecFailure(spec, step, "a call that was not made", missing)) }
        return failures
    }

    /// Numbers of calls that are not those stated. Operations that are not named are not called; logins do not count
    /// unless they are named.
    private func deviations(
        _ counts: [MockOperation: Int], _ calls: [MockOperation: Int], _ step: Step
    ) -> [SpecFailure] {
        let place = step.pointer.appending("upstream").appending("calls")
        let differences = MockOperation.allCases.compactMap { operation -> Difference? in
            let (want, got) = (calls[operation] ?? (operation == .login ? nil : 0), counts[operation] ?? 0)
            guard let want, want != got else { return nil }
            return Difference(pointer: place.appending(operation.rawValue), want: "\(want)", got: "\(got)")
        }
        return differences.isEmpty ? [] : [SpecFailure(spec, step, "other calls to the clinic's system", differences)]
    }

    /// The login of the default profile: it is part of no rule of the contract, and need not be stated.
    private static let login = MockExchange(
        headers: [("Content-Type", "application/json")],
        body: Array(#"{"token":"token-of-the-script","expiraEm":900}"#.utf8)
    ) { $0.method == "POST" && $0.path == "/auth/login" }
}

extension Exchange {
    var mock: MockExchange {
        MockExchange(status: status, headers: headers, body: body, faults: faults, isOptional: isOptional) {
            [expected] in expected.differences(from: $0).isEmpty
        }
    }
}
