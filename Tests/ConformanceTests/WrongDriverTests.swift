import ClientContract
import Foundation
import RESTDriver
import Testing
import Transport
import UpstreamDriver

@testable import Certification
@testable import Conformance

/// The kit finds what is wrong: each driver here does one thing wrong, and fails the checks that are about it.
@Suite struct WrongDriverTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        let name: String
        let groups: Set<CheckGroup>
        /// Checks that must fail.
        let failing: [String]
        let change: @Sendable (inout WrongDriver) -> Void

        init(
            _ name: String, _ groups: Set<CheckGroup>, failing: [String],
            _ change: @escaping @Sendable (inout WrongDriver) -> Void
        ) {
            self.name = name
            self.groups = groups
            self.failing = failing
            self.change = change
        }

        var testDescription: String { name }
    }

    static let faults = [
        Fault("loses the last row of a page", [.list, .windows], failing: ["list/everybody", "windows/tiles"]) {
            $0.changesPage = { page in
                var page = page
                if page.clients.count > 1 { page.clients.removeLast() }
                return page
            }
        },
        Fault("answers the first page always", [.list, .windows], failing: ["list/everybody", "windows/secondPage"]) {
            $0.changesPlace = { PageRequest(.offset(0), size: $0.size) }
        },
        Fault("says that the first page is the last", [.list], failing: ["list/everybody"]) {
            $0.changesPage = { page in
                var page = page
                (page.more, page.total) = (false, nil)
                return page
            }
        },
        Fault(
            "takes failures for nobody", [.faults, .refusals],
            failing: [
                "faults/errorInSuccess.list", "faults/webPage.search", "faults/internalError.list", "refusals/badList",
            ]
        ) {
            $0.instead = ClientPage(clients: [], more: false)
        },
        Fault(
            "takes failures for an absent client", [.faults, .credentials],
            failing: ["faults/emptyBody.get", "faults/reset.get", "credentials/forbidden"]
        ) {
            $0.changesFailure = { _ in .notFound }
        },
        Fault("sends a create again", [.faults], failing: ["faults/truncated.create", "faults/unavailable.create"]) {
            $0.sendsCreatesAgain = true
        },
        Fault("pretends to update", [.update], failing: ["update/email", "update/twice"]) { $0.pretendsUpdates = true },
        Fault("forgets how long to wait", [.limits], failing: ["limits/list", "limits/create"]) {
            $0.changesFailure = { error in
                if case .rateLimited = error { return .rateLimited(retryAfter: nil) }
                return error
            }
        },
        Fault("calls a limit a failure", [.limits], failing: ["limits/get", "limits/withoutSeconds"]) {
            $0.changesFailure = { error in
                if case .rateLimited = error { return .failed(status: 429, "it failed") }
                return error
            }
        },
        Fault("calls rejected keys a failure", [.credentials], failing: ["credentials/reads", "credentials/create"]) {
            $0.changesFailure = { error in
                if case .credentialsRejected = error { return .failed(status: 401, "it failed") }
                return error
            }
        },
        Fault("tells its keys", [.credentials], failing: ["credentials/reads", "credentials/forbidden"]) {
            $0.changesFailure = { error in
                guard case .credentialsRejected = error else { return error }
                return .credentialsRejected("senha-de-demonstracao and chave-errada-de-demonstracao are wrong")
            }
        },
        Fault("finds the first match only", [.search], failing: ["search/phoneFamily", "search/emailShared"]) {
            $0.changesCandidates = { ClientPage(clients: Array($0.clients.prefix(1)), more: false) }
        },
        Fault("ignores filters that it calls exact", [.search], failing: ["search/candidates"]) {
            $0.ignoresFilters = true
        },
        Fault("takes 01001 for 1001", [.get], failing: ["get/zeros"]) {
            $0.changesID = { id in Int(id.text).map { ClientID(String($0)) } ?? id }
        },
        Fault("shifts days", [.fields], failing: ["fields/read.birthday", "fields/write.leapDay"]) {
            $0.changesClient = { client in
                let day = client.birthday.flatMap { Birthday(year: $0.year, month: $0.month, day: max(1, $0.day - 1)) }
                return Client(
                    id: client.id, name: client.name, phones: client.allPhones, cpf: client.cpf, email: client.email,
                    birthday: day ?? Birthday(year: 1999, month: 12, day: 31))
            }
        },
        Fault("loses second numbers and notes", [.fields], failing: ["fields/read.phones", "fields/read.description"]) {
            $0.changesClient = { client in
                Client(
                    id: client.id, name: client.name, phones: Array(client.allPhones.prefix(1)), cpf: client.cpf,
                    image: client.text(.image), email: client.email, birthday: client.birthday)
            }
        },
    ]

    @Test(arguments: faults) func isFound(_ fault: Fault) async throws {
        try await Repository.withEngine { engine in
            let good = try shipped("agenda-demo").subject(drivers: Repository.drivers, engine: engine)
            let certificate = await Conformance.run(wrong(good, fault), only: fault.groups)
            let isGood = certificate.isGood
            #expect(!isGood)
            let failures = Set(certificate.failures.map(\.id))
            #expect(failures.isSuperset(of: fault.failing), "failed: \(failures.sorted())")
        }
    }

    /// On a server that compares versions.
    @Test(arguments: [
        Fault("writes back what it has read", [.update], failing: ["update/colleague"]) { $0.overwrites = true },
        Fault("tries for ever", [.update], failing: ["update/insistentColleague"]) { $0.neverGivesUp = true },
        Fault("calls it another record", [.update], failing: ["update/insistentColleague"]) {
            $0.changesFailure = { error in
                if case .failed(status: 412, _) = error { return .conflict(reasons: []) }
                return error
            }
        },
    ]) func isFoundWhileOthersChangeTheRecord(_ fault: Fault) async throws {
        try await Repository.withEngine { engine in
            let good = try shipped("fhir/hapi").subject(drivers: Repository.drivers, engine: engine)
            let certificate = await Conformance.run(wrong(good, fault), only: fault.groups)
            #expect(certificate.failures.map(\.id) == fault.failing)
        }
    }

    /// Profiles with a mistake, and the checks that find it.
    static let profiles:
        [(mistake: String, pointer: String, json: String, groups: Set<CheckGroup>, failing: [String])] = [
            (
                "the system replaces records", "/update/style", #""partial""#, [.update],
                ["update/nameKeepsTheRest", "update/keepsakes"]
            ),
            (
                "pages begin at 1", "/operations/list/paging/base", "0", [.list, .windows],
                ["list/everybody", "windows/secondPage"]
            ),
            (
                "an error inside is nobody", "/outcomes",
                #"[{"when":{"status":"2xx","body":{"/erro":{"present":true}}},"then":"empty"}]"#, [.faults],
                ["faults/errorInSuccess.list", "faults/errorInSuccess.search"]
            ),
            ("days come first", "/fields/birthday/format", #""MM/dd/yyyy""#, [.fields], ["fields/read.birthday"]),
        ]

    @Test(arguments: profiles.indices) func mistakesInProfilesAreFound(_ index: Int) async throws {
        let (mistake, pointer, json, groups, failing) = Self.profiles[index]
        try await Repository.withEngine { engine in
            let system = try shipped("agenda-demo")
            let subject = system.subject(try profile([(pointer, json)]), engine)
            let certificate = await Conformance.run(subject, only: groups)
            let failures = Set(certificate.failures.map(\.id))
            #expect(failures.isSuperset(of: failing), "\(mistake): failed \(failures.sorted())")
        }
    }

    /// A gap that is none is a failure; an operation that is missing is looked at.
    @Test func gapsAreHeldAgainstTheSystem() async throws {
        try await Repository.withEngine { engine in
            let good = try shipped("agenda-demo").subject(drivers: Repository.drivers, engine: engine)
            let modest = Subject(
                name: "modest", capabilities: good.capabilities,
                gaps: [.member(.description): "none", .foreignPhones: "none"],
                world: good.world, driver: good.driver)
            let certificate = await Conformance.run(modest, only: [.fields])
            #expect(
                Set(certificate.failures.map(\.id)).isSuperset(of: ["fields/gaps", "fields/write.foreignRefused"]))
        }
    }

    @Test func whatASystemLacksIsAskedForAllTheSame() async throws {
        try await Repository.withEngine { engine in
            let good = try shipped("agenda-demo").subject(drivers: Repository.drivers, engine: engine)
            func lacking(_ wrong: Bool) -> Subject {
                var capabilities = good.capabilities
                capabilities.operations.remove(.update)
                capabilities.unchangeable = [.cpf]
                let claimed = capabilities
                return Subject(
                    name: "lacking", capabilities: claimed, world: good.world,
                    driver: { world, keys in
                        var driver = WrongDriver(try good.driver(world, keys))
                        if !wrong { driver.capabilities = claimed }
                        return driver
                    })
            }
            let honest = await Conformance.run(lacking(false), only: [.refusals])
            #expect(honest.results.first(where: { $0.id == "refusals/missing" })?.outcome == .passed)
            let wrong = await Conformance.run(lacking(true), only: [.refusals])
            #expect(wrong.failures.map(\.id) == ["refusals/missing"])
        }
    }

    @Test func aWorldThatCannotBeMadeIsNoCertificate() async throws {
        struct Closed: Error {}
        try await Repository.withEngine { engine in
            let good = try shipped("feegow").subject(drivers: Repository.drivers, engine: engine)
            let subject = Subject(
                name: "closed", capabilities: good.capabilities, world: { _ in throw Closed() }, driver: good.driver)
            let certificate = await Conformance.run(subject, only: [.get])
            #expect(!certificate.isGood && certificate.passed == 0)
            #expect(certificate.verdict.hasPrefix("closed: NOT certified"))
        }
    }

    @Test func aLossThatDoesNotHappenIsNoGap() async throws {
        try await Repository.withEngine { engine in
            let good = try shipped("cliniko").subject(drivers: Repository.drivers, engine: engine)
            let gaps = good.gaps.merging([.changingAtOnce(.email): "none"]) { $1 }
            let modest = Subject(
                name: "modest", capabilities: good.capabilities, gaps: gaps, world: good.world, driver: good.driver)
            let certificate = await Conformance.run(modest, only: [.update])
            #expect(certificate.failures.map(\.id) == ["update/colleague"])
        }
    }

    // MARK: Helpers

    private func wrong(_ good: Subject, _ fault: Fault) -> Subject {
        Subject(
            name: "wrong", capabilities: good.capabilities, gaps: good.gaps, secrets: good.secrets, world: good.world,
            driver: { world, keys in
                var driver = WrongDriver(try good.driver(world, keys))
                fault.change(&driver)
                return driver
            })
    }

    private func shipped(_ name: String) throws -> CertifiedSystem {
        try #require(CertifiedSystem.all.first { $0.name == name })
    }

    /// The demonstration's profile with members set.
    private func profile(_ changes: [(String, String)]) throws -> Profile {
        let file = URL(filePath: Repository.drivers).appending(path: "agenda-demo.json")
        var root = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        for (pointer, json) in changes {
            let value = try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed)
            set(&root, pointer.split(separator: "/").map(String.init)[...], value)
        }
        return try Profile(Array(JSONSerialization.data(withJSONObject: root)), file: "changed.json")
    }

    private func set(_ object: inout [String: Any], _ path: ArraySlice<String>, _ value: Any) {
        guard let name = path.first else { return }
        guard path.count > 1 else {
            object[name] = value
            return
        }
        var inner = object[name] as? [String: Any] ?? [:]
        set(&inner, path.dropFirst(), value)
        object[name] = inner
    }
}
