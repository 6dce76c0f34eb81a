import Bridge
import ClientContract
import DriverTestSupport
import Foundation
import JSONBytes
import MockUpstream
import StrictConfig
import Synchronization
import Testing
import Transport
import UpstreamDriver

@testable import FHIRDriver

typealias Script = DriverTestSupport.Script

extension UpstreamAnswer {
    static func fhir(_ body: String, status: Int = 200, headers: [(name: String, value: String)] = []) -> UpstreamAnswer
    {
        json(body, status: status, headers: headers, type: "application/fhir+json")
    }
}

extension OutboundRequest {
    /// What stands behind the address of the tests' server.
    var target: String { String(url.dropFirst(Sample.base.count)) }
    /// The values of a query parameter, decoded.
    func query(_ name: String) -> [String] {
        (URLComponents(string: url)?.queryItems ?? []).filter { $0.name == name }.compactMap(\.value)
    }
}

enum Sample {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let base = "https://fhir.example.test/r4"
    static let context = CallContext(deadline: .now + .seconds(60), requestID: "req-1")
    static let cpfSystem = "https://saude.gov.br/fhir/sid/cpf"
    static let names = ["hapi", "azure", "google", "openmrs", "nilo"]

    struct Unusable: Error {}

    /// A small profile: a JSON Patch server without a statement.
    static let profile = """
        {"name":"sample","title":"Sample","signIn":[{"style":"none"}],
        "cpf":{"read":["urn:oid:2.16.840.1.113883.13.237"],"write":"\(cpfSystem)"},
        "update":{"style":"patch"},"metadata":false}
        """

    /// The sample with members set by name in place of its own.
    static func bytes(_ changes: [String: String] = [:], of base: [UInt8] = Array(profile.utf8)) throws -> [UInt8] {
        var members = try JSONDocument(base).root.members.map { member in
            (member.key, String(decoding: member.value.source, as: UTF8.self))
        }
        for (name, json) in changes.sorted(by: { $0.key < $1.key }) {
            members.removeAll { $0.0 == name }
            if !json.isEmpty { members.append((name, json)) }
        }
        return Array(("{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}").utf8)
    }

    static func compile(_ changes: [String: String] = [:]) throws -> FHIRProfile {
        try FHIRProfile(bytes(changes), file: "sample.json")
    }

    static func driver(
        _ http: any HTTPSending, _ changes: [String: String] = [:], credentials: [String: Secret] = [:],
        settings: [String: String] = [:], phones: PhoneContext = PhoneContext()
    ) throws -> FHIRDriver {
        FHIRDriver(
            profile: try compile(changes),
            tenant: FHIRTenant(baseURL: base, credentials: credentials, settings: settings, phones: phones), http: http)
    }

    static func shipped(_ name: String, _ changes: [String: String] = [:]) throws -> FHIRProfile {
        let file = repository.appending(path: "Config/drivers/fhir/\(name).json")
        return try FHIRProfile(bytes(changes, of: Array(Data(contentsOf: file))), file: "\(name).json")
    }

    static let ana = try? ClientDraft(
        body: Array(
            #"{"name":"Ana Teste Nova","phone":"5531988880001","email":"nova@example.test","cpf":"20000000108","birthday":"1990-03-07"}"#
                .utf8))

    static func patient(_ members: String, id: String = "p1") -> String {
        #"{"resourceType":"Patient","id":"\#(id)"\#(members.isEmpty ? "" : "," + members)}"#
    }

    static func bundle(_ patients: [String], links: String = "", more: String = "") -> String {
        let entries = patients.map { #"{"resource":\#($0),"search":{"mode":"match"}}"# }.joined(separator: ",")
        return #"{"resourceType":"Bundle","type":"searchset","link":[\#(links)],"entry":[\#(entries)]\#(more)}"#
    }

    /// What a resource shows.
    static func read(_ members: String, phones: PhoneContext = PhoneContext(), _ changes: [String: String] = [:])
        async throws -> Client
    {
        let driver = try driver(Script(.fhir(patient(members))), changes, phones: phones)
        return try await driver.client(ClientID("p1"), context)
    }
}

func failure(_ body: () async throws -> Void) async -> UpstreamError? {
    await UpstreamError.thrown(by: body)
}

/// A server of the mock, and everything in front of it.
struct World {
    let mock: MockServer
    let driver: FHIRDriver
    let bridge: Bridge
    let context: CallContext

    /// A profile's own mock, credentials and settings.
    static func with(
        _ name: String, patients: Int = 60, profile changes: [String: String] = [:],
        credentials: [String: Secret]? = nil,
        onDuplicate:
            BridgeOptions.DuplicateAction = .returnExisting, scan: Bool = false, strangers: Bool = false,
        _ body: (World) async throws -> Void
    ) async throws {
        let dialect = try #require(MockOptions.Dialect(rawValue: "fhir-\(name)"))
        let options = MockOptions(dialect: dialect, patients: patients, strangers: strangers)
        let mock = try await MockServer.start(options)
        let engine = try CurlEngine()
        let usual: [String: Secret] =
            switch name {
            case "azure": ["clientID": Secret(options.user), "clientSecret": Secret(options.password)]
            case "google": ["token": Secret(options.accessToken)]
            case "openmrs": ["user": Secret(options.user), "password": Secret(options.password)]
            case "nilo": ["key": Secret(options.accessToken)]
            default: [:]
            }
        let settings: [String: String] =
            switch name {
            case "azure": ["tokenURL": mock.baseURL + "/oauth2/v2.0/token", "scope": "fhir/.default"]
            case "openmrs": ["location": "58c57d25-8d39-41ab-8422-108a0c277d98"]
            default: [:]
            }
        let driver = FHIRDriver(
            profile: try Sample.shipped(name, changes),
            tenant: FHIRTenant(baseURL: mock.baseURL, credentials: credentials ?? usual, settings: settings),
            http: engine.channel(ChannelSettings()))
        let bridge = Bridge(
            driver: driver,
            options: BridgeOptions(
                searchBy: TermKind.allCases.filter { scan || driver.capabilities.searches[$0] != nil },
                onDuplicate: onDuplicate,
                scan: BridgeOptions.Scan(allowed: scan)))
        let context = CallContext(deadline: .now + .seconds(120), requestID: "test")
        do {
            try await body(World(mock: mock, driver: driver, bridge: bridge, context: context))
        } catch { Issue.record(error, "\(name)") }
        await engine.shutdown()
        await mock.stop()
    }

    func list(_ window: Window = Window()) async throws -> [Client] {
        var pages = bridge.list(window, context)
        var clients: [Client] = []
        while let page = try await pages.next() { clients += page }
        return clients
    }

    func names(_ term: String) async throws -> [String] {
        try await bridge.search(term, Window(), context).map(\.name).sorted()
    }
}

/// Counts from 0.
final class Counter: Sendable {
    private let count = Mutex(0)
    func next() -> Int {
        count.withLock { count in
            defer { count += 1 }
            return count
        }
    }
}
