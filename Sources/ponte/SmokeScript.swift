import JSONBytes
import MockUpstream
import Replay

/// The calls that `ponte smoke` makes, in order, and what must come of them.
final class SmokeScript {
    private let caller: LocalCaller
    private let mock: MockServer
    private var failures = 0

    init(caller: LocalCaller, mock: MockServer) {
        self.caller = caller
        self.mock = mock
    }

    /// - Returns: how many answers were not the expected ones.
    func run() async -> Int {
        Terminal.print(row("request", "status", "verdict"))
        await reading()
        await writing()
        await refusals()
        await faults()
        Terminal.print(failures == 0 ? "All answers are as expected." : "\(failures) answers are not as expected.")
        return failures
    }

    private func reading() async {
        await expect("GET /health/ready", 200)
        await expect("GET /clients?limit=5", 200) { $0?.elements.count == 5 }
        await expect("GET /clients", 200) { ($0?.elements.count ?? 0) > 100 }
        let byPhone = await expect("GET /clients/search?term=5511999999999", 200) { found in
            found?.elements.contains { $0["name"]?.string == "João Silva" } == true
        }
        await expect("GET /clients/search?term=123.456.789-00", 200) { $0?.elements.isEmpty == false }
        await expect("GET /clients/search?term=joao@example.com", 200) { $0?.elements.isEmpty == false }
        await expect("GET /clients/search?term=5511900000000000", 200) { $0?.elements.isEmpty == true }
        let id = byPhone.json?.elements.first?["id"]?.string ?? "0"
        await expect("GET /clients/\(id)", 200, shown: "GET /clients/{id}") { $0?["id"]?.string == id }
        await expect("GET /t/demo/clients/\(id)", 200, shown: "GET /t/demo/clients/{id}") { $0?["id"]?.string == id }
    }

    private func writing() async {
        let draft = """
            {"name":"Ana Teste Fumaça","phone":"5511987650001","email":"ana.fumaca@example.test",\
            "birthday":"1985-03-15","healthInsurance":"conv123","location":"loc456"}
            """
        let created = await expect("POST /clients", 200, body: draft) {
            $0?["name"]?.string == "Ana Teste Fumaça" && $0?["phone"]?.string == "5511987650001"
        }
        let id = created.json?["id"]?.string ?? "0"
        await expect("POST /clients", 200, body: draft, shown: "POST /clients (the same again)") {
            $0?["id"]?.string == id
        }
        let patch = #"{"name":"Ana Teste Fumaça Segunda"}"#
        await expect("PATCH /clients/\(id)", 200, body: patch, shown: "PATCH /clients/{id}") {
            $0?["name"]?.string == "Ana Teste Fumaça Segunda" && $0?["email"]?.string == "ana.fumaca@example.test"
        }
    }

    private func refusals() async {
        await expect("GET /clients", 401, key: "no-such-key", shown: "GET /clients with an unknown key")
        await expect("GET /t/other/clients", 403, shown: "GET /t/{other tenant}/clients")
        await expect("GET /clients/999999999", 404, shown: "GET /clients/{unknown id}")
        await expect("GET /nothing-here", 404)
        await expect("DELETE /clients", 405)
        await expect("GET /clients?limit=-1", 400)
        await expect("GET /clients/search?term=", 400)
        await expect("GET /clients/%00", 400)
        await expect("GET /clients/..%2F..%2Fauth%2Flogin", 404, shown: "GET /clients/{../../auth/login}")
        await expect("POST /clients", 400, body: "{\"name\":", shown: "POST /clients with half a body")
        await expect("POST /clients", 400, body: "{}", shown: "POST /clients without name and phone") {
            $0?["errors"]?.elements.count == 2
        }
        await expect("POST /clients", 415, body: "name=Ana", type: "text/plain", shown: "POST /clients as text")
        await expect(
            "POST /clients", 413, body: String(repeating: " ", count: 2 << 20), shown: "POST /clients with 2 MiB")
    }

    private func faults() async {
        mock.inject(.html, times: 1)
        await expect(
            "GET /clients/search?term=5511999999999", 502, shown: "GET /clients/search, the system speaks HTML")
        mock.inject(.status(500, retryAfter: nil), times: 1)
        await expect("GET /clients/search?term=5511999999999", 502, shown: "GET /clients/search, the system fails")
        mock.clearFaults()
        await expect("GET /clients?limit=1", 200, shown: "GET /clients, the system is well again")
    }

    @discardableResult
    private func expect(
        _ request: String, _ status: Int, body: String? = nil, key: String? = nil, type: String? = nil,
        shown: String? = nil, _ holds: (JSONValue?) -> Bool = { _ in true }
    ) async -> LocalCaller.Answer {
        let parts = request.split(separator: " ", maxSplits: 1)
        var headers: [(name: String, value: String?)] = key.map { [("X-API-Key", $0)] } ?? []
        if let type { headers.append(("Content-Type", type)) }
        let answer = await caller.call(
            String(parts[0]), String(parts[1]), headers: headers, body: body.map { Array($0.utf8) })
        var verdict = "ok"
        if answer.status != status {
            verdict = "FAILED: expected \(status)"
        } else if answer.mediaType != (status == 200 ? "application/json" : "application/problem+json") {
            verdict = "FAILED: wrong media type"
        } else if !holds(answer.json) {
            verdict = "FAILED: unexpected content"
        }
        if verdict != "ok" { failures += 1 }
        let problem = answer.json?["code"]?.string ?? answer.failure.map { "\($0)" }
        Terminal.print(row(shown ?? request, "\(answer.status)\(problem.map { " \($0)" } ?? "")", verdict))
        return answer
    }

    private func row(_ request: String, _ status: String, _ verdict: String) -> String {
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(1, width - text.count))
        }
        return padded(request, 52) + padded(status, 30) + verdict
    }
}
