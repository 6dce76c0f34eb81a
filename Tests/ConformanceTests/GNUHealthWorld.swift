import ClientContract
import Conformance
import Foundation
import JSONBytes
import Transport

/// A clinic of a check's own on a real GNU Health, lent by `Tests/GNUHealth/serve.py`. It makes no trouble.
struct GNUHealthWorld: World {
    let baseURL: String
    let database: String
    let ids: [ClientID]
    let hasKeys = true
    let hasLogin = true
    private let http: HTTPChannel

    /// The address of a real server, while `scripts/test-gnuhealth` runs.
    static let server = ProcessInfo.processInfo.environment["PONTE_GNUHEALTH_URL"]

    init(_ people: [Person], server: String, http: HTTPChannel) async throws {
        var body = JSONWriter()
        body.raw("[")
        for person in people {
            body.comma()
            body.raw(#"{"name":"#)
            body.string(person.name)
            body.raw(#","phones":["#)
            for phone in person.phones {
                body.comma()
                body.string(phone.digits)
            }
            body.raw("]")
            for (name, value) in [
                ("cpf", person.cpf?.digits), ("email", person.email), ("birthday", person.birthday?.iso),
                ("image", person.image),
            ] {
                body.comma()
                body.key(name)
                if let value { body.string(value) } else { body.null() }
            }
            body.raw("}")
        }
        body.raw("]")
        let lent = try await Self.call(http, "POST", "\(server)/__worlds", body.finish())
        guard let database = lent["database"]?.string else { throw Refused() }
        self.database = database
        ids = (lent["ids"]?.elements ?? []).compactMap(\.scalarText).map { ClientID($0) }
        baseURL = server
        self.http = http
    }

    struct Refused: Error {}

    private static func call(
        _ http: HTTPChannel, _ method: String, _ url: String, _ body: [UInt8]? = nil
    ) async throws -> JSONValue {
        let request = OutboundRequest(method: method, url: url, body: body, repeatability: .unsafe)
        let answer = try await http.send(request, deadline: .now + .seconds(120))
        guard answer.status == 200 else { throw Refused() }
        return try JSONDocument(answer.body).root
    }

    private func call(_ method: String, _ path: String) async -> JSONValue? {
        try? await Self.call(
            http, method, "\(baseURL)/__worlds/\(database)\(path)", method == "POST" ? [] : nil)
    }

    var absentID: ClientID { ClientID("999999999") }

    var refused: (draft: ClientDraft, patch: ClientPatch)? {
        // Wrong check digits.
        guard let cpf = CPF("12345678900"), let phone = PhoneNumber("5531977770009") else { return nil }
        return (ClientDraft(name: "Dora Exemplo", phone: phone, cpf: cpf), ClientPatch(cpf: cpf))
    }

    func count(_ call: SystemCall) async -> Int { await self.call("GET", "/counts")?[call.rawValue]?.int ?? 0 }
    func canMake(_ trouble: Trouble) -> Bool { false }
    func make(_ trouble: Trouble, on call: SystemCall, times: Int?) async {}
    func calm() async {}
    func expireTokens() async { _ = await call("POST", "/expire") }
    func catchUp() async {}
    func keepsakes(of id: ClientID) async -> [UInt8]? {
        await call("GET", "/keepsakes/\(id.text)")?["keepsakes"]?.source
    }
    func colleague(_ changes: [ColleagueChange], of id: ClientID, before call: SystemCall) async -> Bool {
        var body = JSONWriter()
        body.raw(#"{"id":"#)
        body.string(id.text)
        body.raw(#","before":"#)
        body.string(call.rawValue)
        body.raw(#","changes":["#)
        for change in changes {
            let (member, value) =
                switch change {
                case .name(let name): ("name", name)
                case .email(let address): ("email", address)
                case .birthday(let day): ("birthday", day.iso)
                case .phone(let number): ("phone", number.digits)
                }
            body.comma()
            body.raw("{")
            body.key(member)
            body.string(value)
            body.raw("}")
        }
        body.raw("]}")
        let address = "\(baseURL)/__worlds/\(database)/colleague"
        return (try? await Self.call(http, "POST", address, body.finish())) != nil
    }

    func close() async { _ = await call("DELETE", "") }
}
