import ClientContract
import DriverSupport
import DriverTestSupport
import Foundation
import JSONBytes
import StrictConfig
import TestSupport
import Transport
import UpstreamDriver

@testable import RESTDriver

typealias Script = DriverTestSupport.Script

extension Script {
    /// Answers these bodies in order, the last one for ever.
    convenience init(_ bodies: String...) {
        self.init { _, index in .json(bodies[min(index, bodies.count - 1)]) }
    }
}

extension OutboundRequest {
    /// What stands behind the address of the tests' system.
    var target: String { String(url.dropFirst("https://vendor.example.test/v1".count)) }
}

enum Sample {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    /// Far enough away whenever it is asked for: a whole run of tests takes longer than a minute.
    static var context: CallContext { CallContext(deadline: .now + .seconds(300), requestID: "req-1") }

    /// A small profile that says a little of everything.
    static let profile = """
        {"name":"sample","title":"Sample","credentials":["key"],
        "request":{"headers":{"X-Key":"{credential.key}"}},
        "fields":{
          "id":{"at":"/id"},"name":{"at":"/name"},"phones":{"at":"/phone"},"cpf":{"at":"/cpf"},
          "email":{"at":"/email"},"birthday":{"at":"/born"}},
        "operations":{
          "list":{"path":"/patients","query":{"limit":"{limit}","offset":"{offset}"},"items":"/items",
            "paging":{"style":"offset","maximum":50,"total":"/total"}},
          "find":{"path":"/patients","query":{"limit":"{limit}","offset":"{offset}"},"items":"/items",
            "paging":{"style":"offset","maximum":50,"total":"/total"}},
          "get":{"path":"/patients/{id}","item":""},
          "create":{"method":"POST","path":"/patients","json":"{record}","answer":{"id":"/id"}},
          "update":{"method":"PUT","path":"/patients/{id}","json":"{record}"}},
        "search":{"phone":{"operation":"find","query":{"phone":"{term}"},"spellings":"national"},
          "cpf":{"operation":"find","query":{"cpf":"{term}"}},"name":{"operation":"find","query":{"q":"{term}"}}},
        "create":{"duplicates":"creates"},"update":{"style":"partial"}}
        """

    /// The sample with members set (JSON by pointer; nil removes), later ones last.
    static func bytes(_ changes: [(String, String?)] = []) throws -> [UInt8] {
        var edits = JSONEdits()
        for (text, json) in changes {
            guard let pointer = JSONPointer(text) else { throw Unusable() }
            if let json { edits.set(pointer, Array(json.utf8)) } else { edits.remove(pointer) }
        }
        return edits.apply(to: try JSONDocument(Array(profile.utf8)).root)
    }

    struct Unusable: Error {}

    static func compile(_ changes: [(String, String?)] = []) throws -> Profile {
        try Profile(bytes(changes), file: "sample.json")
    }

    static func driver(_ http: any HTTPSending) throws -> RESTDriver { try driver([], http) }

    static func driver(
        _ changes: [(String, String?)], credentials: [String: Secret] = ["key": Secret("k-1")],
        settings: [String: String] = [:], phones: PhoneContext = PhoneContext(), loginPause: Duration = Session.pause,
        _ http: any HTTPSending
    ) throws -> RESTDriver {
        RESTDriver(
            profile: try compile(changes),
            tenant: RESTTenant(
                baseURL: "https://vendor.example.test/v1", credentials: credentials, settings: settings, phones: phones),
            http: http, loginPause: loginPause)
    }

    static func shipped(_ name: String) throws -> Profile {
        let file = repository.appending(path: "Config/drivers/\(name).json")
        return try Profile(Array(Data(contentsOf: file)), file: "\(name).json")
    }

    static let ana = try? ClientDraft(
        body: Array(
            #"{"name":"Ana Teste","phone":"5531988880001","email":"ana@example.test","cpf":"20000000108","birthday":"1990-03-07"}"#
                .utf8))
}

typealias Seeded = TestSupport.Seeded

func failure(_ body: () async throws -> Void) async -> UpstreamError? {
    await UpstreamError.thrown(by: body)
}
