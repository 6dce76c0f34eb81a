import Foundation
import StrictConfig
import Tenancy
import TestSupport
import Testing
import Transport

/// What a file takes away takes effect although something else is faulty; what it gives waits. And no key ever opens two
/// tenants.
@Suite(.timeLimit(.minutes(1))) struct WithdrawalTests {
    private static func tenant(
        _ id: String, _ keys: [String], _ changes: [(path: [String], value: Any?)] = []
    ) -> Any {
        var document: Any = TestConfiguration.fullTenant()
        document = Document.setting(document, ["id"], id)
        document = Document.setting(
            document, ["inbound", "keys"], keys.map { ["name": $0, "sha256": KeyDigest(of: $0).hex] })
        for (path, value) in changes { document = Document.setting(document, path, value) }
        return document
    }

    /// A served configuration, and what a second reading of its files makes of it.
    private final class World {
        let files: TestConfiguration
        let engine: CurlEngine
        let directory: TenantDirectory
        private let first: Configuration

        /// - Parameter tenants: keys by tenant.
        init(_ tenants: [String: [String]], server: String = "{}") throws {
            files = try TestConfiguration()
            engine = try CurlEngine()
            try files.write("server.json", server)
            for (id, keys) in tenants { try files.write("tenants/\(id).json", WithdrawalTests.tenant(id, keys)) }
            first = files.load()
            directory = TenantDirectory(first, engine: engine)
        }

        func write(_ id: String, _ keys: [String], _ changes: [(path: [String], value: Any?)] = []) throws {
            try files.write("tenants/\(id).json", WithdrawalTests.tenant(id, keys, changes))
        }

        func reload() -> TenantDirectory.Changes { directory.replace(with: first.readAgain(), engine: engine) }

        func readAgain() -> Configuration { first.readAgain() }

        /// Which tenant a key opens.
        func opens(_ key: String) -> String? { directory.caller(key: key)?.tenant.id }
    }

    /// Kinds of fault beside the one thing that is meant.
    private static func fault(_ index: Int) -> (path: [String], value: Any?) {
        switch index {
        case 0: (["upstream", "credentials", "user"], ["file": "gone.secret"])
        case 1: (["upstream", "profile"], "nobodys")
        case 2: (["upstream", "retries"], -1)
        case 3: (["inbound", "perMinute"], "many")
        case 4: (["unknown"], 1)
        default: (["upstream"], nil)
        }
    }

    @Test(arguments: 0..<6) func aDisabledTenantGoesWhateverElseIsFaulty(_ fault: Int) async throws {
        let world = try World(["alpha": ["a"], "beta": ["b"]])
        try world.write("alpha", ["a"], [(["disabled"], true), Self.fault(fault)])
        let changes = world.reload()
        #expect(changes.removed == ["alpha"] && changes.kept == [] && !changes.faults.isEmpty)
        #expect(world.opens("a") == nil && world.opens("b") == "beta")
        // What is there is no word of it.
        try world.write("beta", ["b"], [(["disabled"], false), Self.fault(fault)])
        #expect(world.reload().kept == ["beta"])
        #expect(world.opens("b") == "beta")
        await world.engine.shutdown()
    }

    @Test(arguments: 0..<6) func aWithdrawnKeyGoesWhateverElseIsFaulty(_ fault: Int) async throws {
        let world = try World(["alpha": ["leaked", "good"]])
        let before = world.directory.caller(key: "good")?.tenant
        try world.write("alpha", ["good", "new"], [Self.fault(fault)])
        var changes = world.reload()
        #expect(changes.kept == ["alpha"] && changes.withdrawn == ["alpha/leaked"] && !changes.faults.isEmpty)
        #expect(world.opens("leaked") == nil && world.opens("good") == "alpha")
        // Given is nothing, and what runs goes on as it was.
        #expect(world.opens("new") == nil)
        let kept = world.directory.caller(key: "good")?.tenant
        #expect(kept?.meter === before?.meter && kept !== before)
        #expect(world.directory.overview.stale == ["alpha"])
        changes = world.reload()
        #expect(changes.kept == ["alpha"] && changes.withdrawn == [])
        #expect(world.directory.caller(key: "good")?.tenant === kept)

        // The file as it was when it was first read, sound again: its key is good again.
        try world.write("alpha", ["leaked", "good"])
        #expect(world.reload().replaced == ["alpha"])
        #expect(world.opens("leaked") == "alpha" && world.directory.overview.stale == [])
        await world.engine.shutdown()
    }

    /// A list that lost its last key has a fault of its own; so has a file that lost the list.
    @Test func theLastKeyMayBeWithdrawn() async throws {
        let world = try World(["alpha": ["a"], "beta": ["b"]])
        try world.write("alpha", ["a"], [(["inbound", "keys"], [Any]())])
        let changes = world.reload()
        #expect(changes.kept == ["alpha"] && changes.withdrawn == ["alpha/a"])
        #expect(world.opens("a") == nil && world.opens("b") == "beta")
        await world.engine.shutdown()
    }

    /// A name that is misspelt, a template, another clinic's file: no word of this tenant's keys.
    @Test func aSlipOfThePenWithdrawsNothing() async throws {
        let slips: [[(path: [String], value: Any?)]] = [
            [(["inbound"], nil)], [(["inbound", "keys"], nil)], [(["inbound", "keys"], "none")],
            [(["id"], "somebody-else"), (["inbound", "keys"], [Any]())],
            [(["id"], "somebody-else"), (["disabled"], true)],
        ]
        for slip in slips {
            let world = try World(["alpha": ["a"], "beta": ["b"]])
            try world.write("alpha", ["a"], slip)
            let changes = world.reload()
            #expect(changes.kept == ["alpha"] && changes.withdrawn == [] && changes.removed == [])
            #expect(world.opens("a") == "alpha" && world.opens("b") == "beta")
            await world.engine.shutdown()
        }
    }

    @Test func aFileThatCannotBeReadWithdrawsNothing() async throws {
        let world = try World(["alpha": ["a"]])
        let before = world.directory.caller(key: "a")?.tenant
        for text in ["", "{", "[]", #""disabled""#, #"{"disabled":true"#] {
            try world.files.write("tenants/alpha.json", text)
            let changes = world.reload()
            #expect(changes.kept == ["alpha"] && changes.withdrawn == [] && changes.faults.count == 1)
            #expect(world.directory.caller(key: "a")?.tenant === before)
        }
        await world.engine.shutdown()
    }

    @Test func aLastDayMayComeEarlierAndNotLater() async throws {
        let world = try World(["alpha": ["a"]])
        func write(_ day: String) throws {
            let key = ["name": "a", "sha256": KeyDigest(of: "a").hex, "expires": day]
            try world.write("alpha", [], [(["inbound", "keys"], [key]), (["unknown"], 1)])
        }
        for (written, holds) in [
            ("2098-01-31", "2098-01-31"), ("2030-02-28", "2030-02-28"), ("2099-01-31", "2030-02-28"),
        ] {
            try write(written)
            #expect(world.reload().withdrawn == [])
            #expect(world.directory.caller(key: "a")?.expires?.description == holds)
        }
        await world.engine.shutdown()
    }

    /// A profile with faults is one of all its tenants; a folder of profiles that is gone, too.
    @Test func faultsOfOtherFilesHoldNothingUp() async throws {
        let world = try World(["alpha": ["leaked", "good"], "beta": ["b"], "gamma": ["g"], "delta": ["d"]])
        try world.files.write("server.json", "{")
        try world.files.remove("drivers/agenda-demo.json")
        try world.write("alpha", ["good"])
        try world.write("beta", ["b"], [(["disabled"], true)])
        try world.files.remove("tenants/gamma.json")
        var changes = world.reload()
        #expect(changes.kept.sorted() == ["alpha", "delta"] && changes.removed.sorted() == ["beta", "gamma"])
        #expect(changes.withdrawn == ["alpha/leaked"])
        #expect(["leaked", "good", "b", "g", "d"].map(world.opens) == [nil, "alpha", nil, nil, "delta"])
        let drivers = world.files.folder.appending(path: "drivers")
        try FileManager.default.removeItem(at: drivers)
        try world.files.remove("tenants/delta.json")
        changes = world.reload()
        #expect(changes.kept == ["alpha"] && changes.removed == ["delta"])
        await world.engine.shutdown()
    }

    // MARK: One key, one tenant

    /// The key goes to a sound file; the file that had it cannot be followed as a whole.
    @Test(arguments: ["alpha", "zeta"], [true, false]) func aKeyThatMovesOpensOneTenant(
        _ from: String, _ isSeenAtReading: Bool
    ) async throws {
        let to = from == "alpha" ? "zeta" : "alpha"
        let world = try World([from: ["moving", "own"], to: ["other"]])
        // There was no database at the start: the file is sound, and cannot be followed.
        try world.files.write("server.json", #"{"idempotency":{"database":"creates.db"}}"#)
        try world.write(from, ["own"], [(["idempotency", "store"], "sqlite")])
        try world.write(to, ["other", "moving"])
        let changes =
            isSeenAtReading
            ? world.reload() : world.directory.replace(with: world.files.load(), engine: world.engine)
        #expect(changes.kept == [from] && changes.withdrawn == ["\(from)/moving"] && changes.replaced == [to])
        #expect(world.opens("moving") == to && world.opens("own") == from && world.opens("other") == to)
        await world.engine.shutdown()
    }

    /// Alpha cannot be read and keeps its key; beta wants it, and gave its own to gamma.
    @Test func keysThatMoveInARingOpenOneTenantEach() async throws {
        let world = try World(["alpha": ["a"], "beta": ["b"], "gamma": ["c"]])
        try world.files.write("tenants/alpha.json", "{ broken")
        try world.write("beta", ["a"])
        try world.write("gamma", ["b", "c"])
        let changes = world.reload()
        #expect(changes.kept.sorted() == ["alpha", "beta"] && changes.replaced == ["gamma"])
        #expect(changes.withdrawn == ["beta/b"])
        #expect(["a", "b", "c"].map(world.opens) == ["alpha", "gamma", "gamma"])
        await world.engine.shutdown()
    }

    /// Whatever is written, reload after reload: no key opens two tenants, a key opens none whose readable file does not
    /// list it, and a tenant that is disabled or gone is not served.
    @Test(arguments: 0..<6) func noKeyEverOpensTwoTenants(_ seed: Int) async throws {
        var random = Seeded(UInt64(seed))
        let (ids, keys) = (["alpha", "beta", "gamma", "omega"], ["a", "b", "c", "d", "e"])
        let world = try World(["alpha": ["a"], "beta": ["b"], "gamma": ["c", "d"]])
        let withDatabase = #"{"idempotency":{"database":"creates.db"}}"#
        for round in 0..<40 {
            try world.files.write("server.json", ["{}", "{", withDatabase].randomElement(using: &random) ?? "")
            // Nil for a file that says nothing.
            var listed: [String: Set<String>?] = [:]
            for id in ids {
                let given = Array(keys.shuffled(using: &random).prefix(Int.random(in: 0...2, using: &random)))
                var changes: [(path: [String], value: Any?)] = []
                listed[id] = .some(Set(given))
                switch Int.random(in: 0..<7, using: &random) {
                case 0: changes = [(["unknown"], 1)]
                case 1: changes = [(["idempotency", "store"], "sqlite")]
                case 2:
                    changes = [(["disabled"], true), Self.fault(Int.random(in: 0..<6, using: &random))]
                    listed[id] = .some([])
                case 3:
                    try world.files.write("tenants/\(id).json", "{ broken")
                    listed[id] = .some(nil)
                    continue
                default: break
                }
                try world.write(id, given, changes)
            }
            let reading = Bool.random(using: &random) ? world.readAgain() : world.files.load()
            _ = world.directory.replace(with: reading, engine: world.engine)
            let served = world.directory.overview.tenants.flatMap { tenant in tenant.keys.map { (tenant.id, $0) } }
            #expect(Set(served.map(\.1.digest)).count == served.count, "seed \(seed), round \(round)")
            // A reading that did not come to the tenants' files changes nothing.
            guard reading.serverIsSound || reading.changedServerFile != nil else { continue }
            for (id, key) in served {
                guard let entry = listed[id], let said = entry else { continue }
                #expect(said.contains(key.name), "seed \(seed), round \(round): \(id) is opened by \(key.name)")
            }
        }
        await world.engine.shutdown()
    }

    // MARK: The server's file

    /// What stands in it is prepared for the next start.
    @Test func theServersFileHoldsFromTheStart() async throws {
        let world = try World(["alpha": ["a"]])
        #expect(world.readAgain().changedServerFile == nil)
        let folder = world.files.folder.appending(path: "tenants2")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try world.files.write("tenants2/beta.json", Self.tenant("beta", ["b"]))
        let next =
            #"{"tenants":"tenants2","drivers":"drivers2","secrets":{"openFiles":true},"engine":{"maxInFlight":2}}"#
        try world.files.write("server.json", next)
        try world.files.writeSecret("tenants/user.secret", "ana\n", mode: 0o644)
        try world.write("gamma", ["g"], [(["upstream", "credentials", "user"], ["file": "user.secret"])])
        let again = world.readAgain()
        #expect(again.changedServerFile == KeyDigest(of: next) && again.serverIsSound)
        #expect(again.server.tenants.hasSuffix("/tenants") && again.server.maxInFlight == 256)
        // Also for the watch, and for the reading after that one.
        #expect(again.stamp().contains("alpha.json") && again.readAgain().changedServerFile == KeyDigest(of: next))
        #expect(again.faults.map(\.pointer) == ["/upstream/credentials/user/file"])
        let changes = world.directory.replace(with: again, engine: world.engine)
        #expect(changes.removed == [] && changes.added == [] && world.opens("a") == "alpha")
        try world.files.write("server.json", "{}")
        #expect(world.readAgain().changedServerFile == nil)
        // A start is another matter.
        try world.files.write("server.json", #"{"tenants":"tenants2"}"#)
        #expect(world.files.load().tenants.map(\.id) == ["beta"])
        await world.engine.shutdown()
    }

    @Test func aFaultyServersFileHoldsUpNoTenant() async throws {
        let world = try World(["alpha": ["leaked", "good"]])
        for (text, key) in [("{", "first"), (#"{"tennants":"x"}"#, "second"), ("[]", "third")] {
            try world.files.write("server.json", text)
            try world.write("alpha", ["good", key])
            let changes = world.reload()
            #expect(changes.replaced == ["alpha"] && changes.kept == [] && changes.faults.count == 1)
            #expect(world.opens("leaked") == nil && world.opens(key) == "alpha")
        }
        try world.files.remove("server.json")
        #expect(world.reload().faults.first?.message.hasPrefix("cannot be read") == true)
        #expect(world.opens("good") == "alpha")
        await world.engine.shutdown()
    }
}
