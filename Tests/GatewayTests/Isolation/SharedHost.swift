import Foundation
import JSONBytes
import Synchronization
import TestSupport

/// One address with many clinics behind it, as at vendors who serve everybody from one host: the token alone says whose
/// patients a call is about. Ids are equal in all of them, and everything that came is on record.
final class SharedHost: Sendable {
    /// What came, and with whose token.
    struct Served: Sendable {
        /// Whose token it was, or whose login; nil where that is nobody's.
        let account: String?
        let connection: Int
        let method: String
        let path: String
        let token: String
        let hasCookie: Bool
    }

    /// How an account's calls are answered, logins aside.
    enum Behaviour: Sendable {
        case status(String, headers: String)
        /// Writes are not carried out, and the connection ends without an answer.
        case losesWrites
    }

    /// A profile that calls it; with the name "shared".
    static let profile = """
        {"name":"shared","title":"Sistema Partilhado","credentials":["user","password"],
        "login":{"request":{"method":"POST","path":"/login",
            "json":{"user":"{credential.user}","password":"{credential.password}"}},
          "token":"/token","lifetime":"1h","refreshToken":"/refresh",
          "refresh":{"request":{"method":"POST","path":"/refresh","json":{"refresh":"{login.refreshToken}"}}}},
        "request":{"headers":{"Authorization":"Bearer {login.token}"}},
        "fields":{"id":{"at":"/id"},"name":{"at":"/name"},"phones":{"at":"/phone"},"email":{"at":"/email"}},
        "operations":{
          "list":{"path":"/patients","query":{"limit":"{limit}","offset":"{offset}"},"items":"",
            "paging":{"style":"offset","maximum":50}},
          "find":{"path":"/patients","query":{"limit":"{limit}","offset":"{offset}"},"items":"",
            "paging":{"style":"offset","maximum":50}},
          "get":{"path":"/patients/{id}","item":"",
            "outcomes":[{"when":{"status":404},"then":"notFound"}]},
          "create":{"method":"POST","path":"/patients","json":"{record}","answer":{"item":""}},
          "update":{"method":"PATCH","path":"/patients/{id}","json":"{record}"}},
        "search":{"phone":{"operation":"find","query":{"q":"{term}"},"spellings":["international"]}},
        "create":{"duplicates":"creates"},"update":{"style":"partial"}}
        """

    private struct Patient: Sendable {
        var name: String
        var phone: String
    }

    private struct State {
        var tokens: [String: String] = [:]
        var refreshes: [String: String] = [:]
        var given: [String: Int] = [:]
        var patients: [String: [String: Patient]] = [:]
        var served: [Served] = []
        var behaviours: [String: Behaviour] = [:]
        var gates: [String: DispatchSemaphore] = [:]
    }

    /// What the threads of the connections share.
    private final class Desk: Sendable {
        let state = Mutex(State())
    }

    private let desk: Desk
    private let server: RawServer

    /// A tenant's address there.
    var baseURL: String { server.url + "/v1" }
    var port: Int { server.port }

    init() throws {
        let desk = Desk()
        self.desk = desk
        server = try RawServer { Self.serve($0, desk) }
    }

    func stop() {
        for account in desk.state.withLock({ Array($0.gates.keys) }) { release(account) }
        server.stop()
    }

    // MARK: What the test sees and does

    var served: [Served] { desk.state.withLock { $0.served } }

    func count(_ account: String, _ method: String? = nil, _ path: String? = nil) -> Int {
        served.count { call in
            call.account == account && method.map { call.method == $0 } ?? true && path.map { call.path == $0 } ?? true
        }
    }

    /// Creates that came from an account.
    func creates(_ account: String) -> Int { count(account, "POST", "/v1/patients") }

    func set(_ account: String, _ behaviour: Behaviour?) { desk.state.withLock { $0.behaviours[account] = behaviour } }

    /// Calls of an account, logins aside, wait from now on.
    func hold(_ account: String) { desk.state.withLock { $0.gates[account] = DispatchSemaphore(value: 0) } }

    func release(_ account: String) {
        desk.state.withLock { $0.gates.removeValue(forKey: account) }?.signal()
    }

    /// Makes an account's tokens worthless; what refreshes them is not.
    func expireTokens(of account: String) {
        desk.state.withLock { state in state.tokens = state.tokens.filter { $0.value != account } }
    }

    /// Returns as soon as something holds of what came.
    func until(_ condition: @Sendable (SharedHost) -> Bool) async {
        while !condition(self), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(2)) }
    }

    // MARK: Answers

    private static func serve(_ connection: RawServer.Connection, _ desk: Desk) {
        while let request = connection.readRequest() {
            let words = request.line.split(separator: " ")
            guard words.count == 3 else { return }
            let (method, target) = (String(words[0]), String(words[1]))
            let path = String(target.prefix { $0 != "?" })
            let body = (try? JSONDocument(request.body))?.root
            let token = request.header("authorization").map { String($0.dropFirst("Bearer ".count)) } ?? ""
            func note(_ account: String?) {
                let call = Served(
                    account: account, connection: request.connection, method: method, path: path, token: token,
                    hasCookie: request.header("cookie") != nil)
                desk.state.withLock { $0.served.append(call) }
            }
            func say(_ body: String, _ status: String = "200 OK", headers: String = "") {
                connection.answer(body, status: status, headers: "Content-Type: application/json\r\n" + headers)
            }
            if method == "POST", path == "/v1/login" || path == "/v1/refresh" {
                let account =
                    path == "/v1/login"
                    ? body?["user"]?.string.flatMap { user in
                        ["senha-", "nova-"].contains { body?["password"]?.string == $0 + user } ? user : nil
                    }
                    : body?["refresh"]?.string.flatMap { used in
                        desk.state.withLock { $0.refreshes.removeValue(forKey: used) }
                    }
                note(account)
                guard let account else {
                    say("{}", "401 Unauthorized")
                    continue
                }
                let session = desk.state.withLock { state -> String in
                    state.given[account, default: 0] += 1
                    let session = "\(account)-\(state.given[account] ?? 0)"
                    state.tokens["t-" + session] = account
                    state.refreshes["r-" + session] = account
                    return session
                }
                say(
                    #"{"token":"t-\#(session)","refresh":"r-\#(session)"}"#,
                    headers: "Set-Cookie: sessao=\(session); Path=/\r\n")
                continue
            }
            let account = desk.state.withLock { $0.tokens[token] }
            note(account)
            guard let account else {
                say("{}", "401 Unauthorized")
                continue
            }
            let (gate, behaviour) = desk.state.withLock { ($0.gates[account], $0.behaviours[account]) }
            if let gate {
                gate.wait()
                // The next one that waits here goes, too.
                gate.signal()
            }
            switch behaviour {
            case .status(let status, let headers):
                say("{}", status, headers: headers)
                continue
            case .losesWrites where method != "GET": return
            case .losesWrites, nil: break
            }
            let (text, status) = desk.state.withLock { answer(method, target, path, body, account, &$0) }
            say(text, status, headers: "Set-Cookie: conta=\(account); Path=/\r\n")
        }
    }

    private static func answer(
        _ method: String, _ target: String, _ path: String, _ body: JSONValue?, _ account: String, _ state: inout State
    ) -> (String, String) {
        var patients = state.patients[account] ?? ["7": Patient(name: "Paciente de \(account)", phone: "5511900000007")]
        defer { state.patients[account] = patients }
        func text(_ id: String, _ patient: Patient) -> String {
            #"{"id":"\#(id)","name":"\#(patient.name)","phone":"\#(patient.phone)"}"#
        }
        let id = path.hasPrefix("/v1/patients/") ? String(path.dropFirst("/v1/patients/".count)) : nil
        switch (method, id) {
        case ("GET", nil):
            let isFirst = target.contains("offset=0")
            let rows = isFirst ? patients.sorted { $0.key < $1.key }.map { text($0.key, $0.value) } : []
            return ("[" + rows.joined(separator: ",") + "]", "200 OK")
        case ("GET", let id?):
            return patients[id].map { (text(id, $0), "200 OK") } ?? ("{}", "404 Not Found")
        case ("POST", nil):
            let patient = Patient(name: body?["name"]?.string ?? "", phone: body?["phone"]?.string ?? "")
            let id = String(100 + patients.count)
            patients[id] = patient
            return (text(id, patient), "200 OK")
        case ("PATCH", let id?):
            guard patients[id] != nil else { return ("{}", "404 Not Found") }
            if let name = body?["name"]?.string { patients[id]?.name = name }
            return ("{}", "200 OK")
        default: return ("{}", "404 Not Found")
        }
    }
}
