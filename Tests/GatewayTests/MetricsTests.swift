import Bridge
import Foundation
import JSONBytes
import MockUpstream
import Tenancy
import Testing

/// What the operator's listener says after known traffic, over real sockets and pretend clinic systems.
@Suite(.timeLimit(.minutes(2))) struct MetricsTests {
    private func labels(_ tenant: String, _ more: [String: String]) -> [String: String] {
        more.merging(["tenant": tenant]) { $1 }
    }

    private func requests(_ page: PrometheusText, _ tenant: String, _ route: String, _ status: Int, _ code: String)
        -> Double?
    {
        page[
            "ponte_requests_total", labels(tenant, ["route": route, "status": "\(status)", "code": code])]
    }

    @Test func everyRequestIsCountedOnce() async throws {
        try await WatchedClinics.with { clinics async throws in
            let ponte = clinics.ponte
            for _ in 0..<3 { #expect(try await ponte.status("/clients/1001") == 200) }
            #expect(try await ponte.status("/t/ana/clients/9999999") == 404)
            #expect(try await ponte.status("/clients?limit=5") == 200)
            #expect(try await ponte.status("/clients") == 200)
            #expect(try await ponte.status("/clients/search?term=5521999999999") == 200)
            #expect(try await ponte.status("/clients", "POST", body: #"{"name":"Rita Nova"}"#) == 400)
            #expect(try await ponte.status("/clients/1001", "PATCH", body: "{}") == 200)
            #expect(try await ponte.status("/clients/1001", key: "nobody's") == 401)
            #expect(try await ponte.status("/elsewhere") == 404)
            #expect(try await ponte.status("/health/ready", key: nil) == 200)
            let page = try await ponte.metrics()
            #expect(requests(page, "ana", "GET /clients/{id}", 200, "ok") == 3)
            #expect(requests(page, "ana", "GET /clients/{id}", 404, "no_such_client") == 1)
            #expect(requests(page, "ana", "GET /clients", 200, "ok") == 2)
            #expect(requests(page, "ana", "GET /clients/search", 200, "ok") == 1)
            #expect(requests(page, "ana", "POST /clients", 400, "invalid_input") == 1)
            #expect(requests(page, "ana", "PATCH /clients/{id}", 200, "ok") == 1)
            #expect(requests(page, "none", "GET /clients/{id}", 401, "unknown_key") == 1)
            #expect(requests(page, "none", "none", 404, "no_such_route") == 1)
            #expect(requests(page, "none", "GET /health/ready", 200, "ok") == 1)
            let all = page.samples.filter { $0.key.name == "ponte_requests_total" }.values.reduce(0, +)
            #expect(all == 12)
            let times = page.samples.filter { $0.key.name == "ponte_request_duration_seconds_count" }.values.reduce(
                0, +)
            #expect(times == 12)
            let calls = labels("ana", ["operation": "get", "code": "no_such_client"])
            #expect(page["ponte_system_calls_total", calls] == 1)
            #expect((page["ponte_system_calls_total", labels("ana", ["operation": "list", "code": "ok"])] ?? 0) >= 2)
            #expect(page["ponte_system_logins_total", ["tenant": "ana"]] == 1)
            #expect(page["ponte_system_retries_total", ["tenant": "ana"]] == 0)
            #expect((page["ponte_key_expiry_days", ["tenant": "ana", "key": "main"]] ?? 0) > 10_000)
            #expect(page["ponte_tenants"] == 2)
            #expect(page["ponte_log_lines_dropped_total"] == 7)
            #expect(page["ponte_configuration_faults"] == 0)
            #expect((page["process_resident_memory_bytes"] ?? 0) > 1_000_000)
            #expect((page["process_open_fds"] ?? 0) > 3)
            #expect((page["process_start_time_seconds"] ?? 0) > 1_700_000_000)
        }
    }

    @Test func failuresAndRetriesAreCountedAndTheBreakerIsSeen() async throws {
        try await WatchedClinics.with(#","retries":1,"breaker":{"failures":3,"openFor":"5m"}"#) {
            clinics async throws in
            let ponte = clinics.ponte
            #expect(try await ponte.status("/clients/1001") == 200)
            clinics.mocks[0].inject(.status(503, retryAfter: nil), operation: .get, times: 1)
            #expect(try await ponte.status("/clients/1001") == 200)
            var page = try await ponte.metrics()
            #expect(page["ponte_system_retries_total", ["tenant": "ana"]] == 1)
            #expect(page["ponte_breaker_state", ["tenant": "ana", "state": "closed"]] == 1)
            #expect(page["ponte_tenant_state", ["tenant": "ana", "state": "ok"]] == 1)
            clinics.mocks[0].inject(.status(500, retryAfter: nil), operation: .get)
            for _ in 0..<3 { #expect(try await ponte.status("/clients/1001") == 502) }
            #expect(try await ponte.status("/clients/1001") == 503)
            page = try await ponte.metrics()
            #expect(requests(page, "ana", "GET /clients/{id}", 502, "system_failed") == 3)
            #expect(requests(page, "ana", "GET /clients/{id}", 503, "circuit_open") == 1)
            #expect(
                page["ponte_system_calls_total", labels("ana", ["operation": "get", "code": "system_failed"])] == 3)
            #expect(page["ponte_system_calls_total", labels("ana", ["operation": "get", "code": "circuit_open"])] == 1)
            #expect(page["ponte_breaker_state", ["tenant": "ana", "state": "open"]] == 1)
            #expect(page["ponte_breaker_state", ["tenant": "ana", "state": "closed"]] == 0)
            #expect(page["ponte_tenant_state", ["tenant": "ana", "state": "failing"]] == 1)
            #expect(page["ponte_breaker_state", ["tenant": "bruno", "state": "closed"]] == 1)
            #expect(page["ponte_tenant_state", ["tenant": "bruno", "state": "ok"]] == 1)

            let status = try JSONDocument(try await ponte.page("/status").body).root
            let ana = try #require(status["tenants"]?.elements.first)
            #expect(ana["id"]?.string == "ana" && ana["state"]?.string == "failing" && ana["breaker"]?.string == "open")
            #expect(ana["recent"]?["requests"]?.int == 6 && ana["recent"]?["failures"]?.int == 4)
            #expect(ana["lastFailure"]?["code"]?.string == "system_failed")
            #expect((0...120).contains(ana["lastFailure"]?["secondsAgo"]?.int ?? -1))
            #expect(ana["keys"]?.elements.first?["expires"]?.string == "2099-12-31")
            #expect(status["tenants"]?.elements.last?["state"]?.string == "ok")
            let html = try await ponte.page("/").text
            #expect(html.contains(#"<tr class="failing"><td>ana</td>"#) && html.contains("system_failed"))
            #expect(html.contains(#"<tr class="ok"><td>bruno</td>"#) && !html.contains("<script"))
        }
    }

    @Test func whatATenantDoesMovesNoSeriesOfAnother() async throws {
        try await WatchedClinics.with(#","retries":0,"breaker":{"failures":2,"openFor":"5m"}"#) {
            clinics async throws in
            let ponte = clinics.ponte
            #expect(try await ponte.status("/clients/1001") == 200)
            let before = try await ponte.metrics()
            clinics.mocks[1].inject(.status(500, retryAfter: nil), operation: .get)
            let paths = [
                "/clients/1001", "/clients/1002", "/clients/ana", "/t/ana/clients/1001", "/t/ana/clients",
                "/clients?limit=2",
            ]
            for path in paths + paths { _ = try await ponte.status(path, key: "key-bruno") }
            let after = try await ponte.metrics()
            #expect(before.of(tenant: "ana") == after.of(tenant: "ana"))
            // The test would notice: Bruno's moved, and what names another's tenant is nobody's.
            #expect(before.of(tenant: "bruno") != after.of(tenant: "bruno"))
            #expect(after["ponte_breaker_state", ["tenant": "bruno", "state": "open"]] == 1)
            #expect(requests(after, "none", "GET /clients", 403, "other_tenant") == 2)
        }
    }

    @Test func aTenantThatGoesTakesItsSeriesAlong() async throws {
        try await WatchedClinics.with { clinics async throws in
            let ponte = clinics.ponte
            for key in ["key-ana", "key-bruno"] { #expect(try await ponte.status("/clients/1001", key: key) == 200) }
            #expect(try await !ponte.metrics().of(tenant: "bruno").isEmpty)
            // Another reading of the same clinic goes on counting.
            let file = clinics.folder.appending(path: "tenants/ana.json")
            let text = try String(contentsOf: file, encoding: .utf8)
            try Data(text.replacing("2099-12-31", with: "2098-12-31").utf8).write(to: file)
            try FileManager.default.removeItem(at: clinics.folder.appending(path: "tenants/bruno.json"))
            clinics.reload()
            #expect(try await ponte.status("/clients/1001") == 200)
            let page = try await ponte.metrics()
            #expect(page.of(tenant: "bruno").isEmpty)
            #expect(page["ponte_tenants"] == 1)
            #expect(requests(page, "ana", "GET /clients/{id}", 200, "ok") == 2)
            #expect(try await !ponte.page("/").text.contains("bruno"))
            #expect(try await !ponte.page("/status").text.contains("bruno"))
        }
    }

    @Test func aFileWithFaultsIsSaidAndItsTenantServed() async throws {
        try await WatchedClinics.with { clinics async throws in
            let ponte = clinics.ponte
            let file = clinics.folder.appending(path: "tenants/bruno.json")
            let text = try Data(contentsOf: file)
            try Data("{ broken".utf8).write(to: file)
            clinics.reload()
            var ready = try await RawHTTP.call(ponte.port, "GET", "/health/ready", key: nil)
            #expect(ready.status == 200 && ready.text == #"{"status":"ready","tenants":2,"stale":1}"#)
            #expect(try await ponte.status("/clients/1001", key: "key-bruno") == 200)
            var page = try await ponte.metrics()
            #expect(page["ponte_tenant_stale", ["tenant": "bruno"]] == 1)
            #expect(page["ponte_tenant_state", ["tenant": "bruno", "state": "stale"]] == 1)
            #expect(page["ponte_tenant_stale", ["tenant": "ana"]] == 0)
            #expect(page["ponte_configuration_faults"] == 1)
            try text.write(to: file)
            clinics.reload()
            ready = try await RawHTTP.call(ponte.port, "GET", "/health/ready", key: nil)
            #expect(ready.text == #"{"status":"ready","tenants":2}"#)
            page = try await ponte.metrics()
            #expect(page["ponte_tenant_stale", ["tenant": "bruno"]] == 0)
        }
    }

    @Test func noPageHoldsAnythingOfAPatientOrACaller() async throws {
        try await WatchedClinics.with { clinics async throws in
            let ponte = clinics.ponte
            let secrets = [
                "Zulmira", "5511955557777", "52998224725", "zulmira@example.test", "1987-06-05", "key-ana", "key-bruno",
                "desconhecida", "João", "Silva", "127.0.0.1", MockOptions().password,
            ]
            let body =
                #"{"name":"Zulmira Teste","phone":"5511955557777","cpf":"52998224725","email":"zulmira@example.test","birthday":"1987-06-05"}"#
            #expect(try await ponte.status("/clients", "POST", body: body) == 200)
            for term in ["5511955557777", "Zulmira", "Jo%C3%A3o%20Silva"] {
                #expect(try await ponte.status("/clients/search?term=\(term)") == 200)
            }
            for path in ["/clients/1001", "/clients", "/clients/Zulmira", "/t/Zulmira/clients", "/Zulmira?x=Silva"] {
                _ = try await ponte.status(path)
                _ = try await ponte.status(path, key: "desconhecida")
            }
            clinics.mocks[0].inject(.status(500, retryAfter: nil))
            _ = try await ponte.status("/clients/1001")
            _ = try await ponte.status("/clients/1001", "PATCH", body: #"{"name":"Zulmira Silva"}"#)
            _ = try await RawHTTP.exchange(ponte.port, RawHTTP.head("ZULMIRA", "/clients/Zulmira"))
            for path in ["/metrics", "/status", "/"] {
                let text = try await ponte.page(path).text
                #expect(text.contains("system_failed"), "\(path)")
                for secret in secrets { #expect(!text.contains(secret), "\(secret) at \(path)") }
            }
            // What the pages themselves are asked is not repeated either.
            #expect(try await !ponte.page("/Zulmira?Silva").text.contains("Zulmira"))
        }
    }

    @Test func theListenerAnswersThreePathsAndNothingElse() async throws {
        let ponte = try await WatchedPonte.start(TenantDirectory([]))
        for (path, type) in [
            ("/metrics", "text/plain; version=0.0.4; charset=utf-8"), ("/status", "application/json"),
            ("/", "text/html; charset=utf-8"), ("/metrics?x=1", "text/plain; version=0.0.4; charset=utf-8"),
        ] {
            let answer = try await ponte.page(path)
            #expect(answer.status == 200 && answer.isComplete && answer.header("content-type") == type)
            #expect(
                answer.header("cache-control") == "no-store" && answer.header("x-content-type-options") == "nosniff")
            #expect(answer.header("content-security-policy")?.hasPrefix("default-src 'none'") == true)
            let refused = try await ponte.page("POST", path)
            #expect(refused.status == 405 && refused.header("allow") == "GET")
        }
        for path in ["/clients", "/health/live", "/metrics/", "//metrics", "/../metrics", "/status.json"] {
            #expect(try await ponte.page(path).status == 404, "\(path)")
            #expect(try await RawHTTP.call(ponte.port, "GET", "/metrics").status == 404)
        }
        #expect(try JSONDocument(try await ponte.page("/status").body).root["status"]?.string == "no_tenants")
        // A web page whose name was made to lead to this machine gets nothing.
        for host in ["evil.example.test", "127.evil.example.test", "192.0.2.1:9180", "[::2]", "localhost.example.test"]
        {
            let answer = try await ponte.page("GET", "/status", host: host)
            #expect(answer.status == 404 && !answer.text.contains("tenants"), "\(host)")
        }
        for host in ["localhost", "LOCALHOST:1", "127.0.0.1:9180", "127.0.0.2", "[::1]:9180"] {
            #expect(try await ponte.page("GET", "/status", host: host).status == 200, "\(host)")
        }
        try await ponte.stop()
        #expect(throws: (any Error).self) { try RawHTTP.Connection(port: ponte.pagePort) }
    }
}
