import ClientContract
import Glibc
import JSONBytes
import Metering

/// `GET /status` and `GET /`: a report for people, as JSON and as a page that needs no program to be read.
enum StatusPage {
    // MARK: JSON

    static func json(_ report: OperatorReport) -> [UInt8] {
        var writer = JSONWriter(capacity: 1024)
        writer.raw(#"{"status":"#)
        writer.string(status(report))
        member("version", "\(MetricsPage.version)", &writer)
        member("time", time(report.time), &writer)
        member("started", time(Int(report.process.started)), &writer)
        writer.raw(#","configuration":{"faults":"#)
        writer.number(report.faults)
        writer.raw(#","reloads":{"#)
        for (result, count) in report.reloads {
            writer.comma()
            writer.key(result.value)
            writer.number(count)
        }
        writer.raw(#"}},"connections":{"open":"#)
        writer.number(report.connections.open)
        writer.raw(#","refused":"#)
        writer.number(report.connections.refused)
        writer.raw(#"},"logLinesDropped":"#)
        writer.number(report.linesLost)
        writer.raw(#","tenants":["#)
        for tenant in report.tenants {
            writer.comma()
            write(tenant, report.time, &writer)
        }
        writer.raw("]}")
        return writer.finish()
    }

    private static func status(_ report: OperatorReport) -> String {
        report.isDraining ? "draining" : report.tenants.isEmpty ? "no_tenants" : "ready"
    }

    private static func write(_ tenant: OperatorReport.TenantReport, _ now: Int, _ writer: inout JSONWriter) {
        writer.raw(#"{"id":"#)
        writer.string(tenant.id)
        member("state", tenant.condition.value, &writer)
        writer.raw(#","stale":"#)
        writer.bool(tenant.isStale)
        if let upstream = tenant.upstream {
            member("breaker", BreakerLabel(upstream.breaker).value, &writer)
            writer.raw(#","inFlight":"#)
            writer.number(upstream.inFlight)
            writer.raw(#","queued":"#)
            writer.number(upstream.waiting)
        }
        writer.raw(#","recent":{"minutes":"#)
        writer.number(TenantMeter.recentMinutes)
        writer.raw(#","requests":"#)
        writer.number(tenant.reading.recent.requests)
        writer.raw(#","failures":"#)
        writer.number(tenant.reading.recent.failures)
        writer.raw("}")
        if let failure = tenant.reading.lastFailure {
            writer.raw(#","lastFailure":{"code":"#)
            writer.string(failure.code.rawValue)
            member("time", time(failure.time), &writer)
            writer.raw(#","secondsAgo":"#)
            writer.number(max(0, now - failure.time))
            member("title", failure.code.title, &writer)
            member("advice", failure.code.advice, &writer)
            writer.raw("}")
        }
        writer.raw(#","keys":["#)
        for key in tenant.keys {
            writer.comma()
            writer.raw(#"{"name":"#)
            writer.string(key.name)
            member("expires", key.expires.description, &writer)
            writer.raw(#","daysLeft":"#)
            writer.number(key.daysLeft)
            writer.raw("}")
        }
        writer.raw("]}")
    }

    private static func member(_ name: String, _ value: String, _ writer: inout JSONWriter) {
        writer.raw(",")
        writer.key(name)
        writer.string(value)
    }

    /// UTC to the second (RFC 3339).
    private static func time(_ seconds: Int) -> String {
        var (moment, parts) = (time_t(seconds), tm())
        gmtime_r(&moment, &parts)
        func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let day = "\(Int(parts.tm_year) + 1900)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
        return "\(day)T\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec))Z"
    }

    // MARK: HTML

    static func html(_ report: OperatorReport) -> String {
        // Those who need somebody come first.
        let tenants = report.tenants.sorted { ($1.condition, $0.id) < ($0.condition, $1.id) }
        let counts = ConditionLabel.all.reversed().compactMap { condition in
            let count = tenants.count { $0.condition == condition }
            return count > 0 ? "\(count) \(condition.value)" : nil
        }
        let about = [
            escaped(status(report)), counts.isEmpty ? "no tenants" : counts.joined(separator: ", "),
            "\(report.connections.open) connections", "\(report.faults) faults in the configuration",
            time(report.time),
        ]
        let rows = tenants.map { row($0, report.time) }.joined()
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>Ponte: \(escaped(counts.first ?? status(report)))</title>
            <meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="15">
            <style>\(style)</style></head><body>
            <h1>Ponte</h1><p>\(about.joined(separator: " · "))</p>
            <table><thead><tr><th>clinic</th><th>state</th><th>why</th><th>last \(TenantMeter.recentMinutes) min</th>\
            <th>its system</th><th>keys</th></tr></thead><tbody>
            \(rows)</tbody></table>
            <p><a href="status">as JSON</a> · <a href="metrics">metrics</a></p>
            </body></html>

            """
    }

    private static let style = """
        body{font:16px/1.5 system-ui,sans-serif;margin:2em;color:#222;background:#fff}table{border-collapse:collapse}\
        th,td{text-align:left;vertical-align:top;padding:.4em 1em .4em 0;border-bottom:1px solid #ccc}\
        .failing td:nth-child(2){background:#b00020;color:#fff}.degraded td:nth-child(2){background:#ffd54f}\
        .stale td:nth-child(2){background:#cfd8dc}td:nth-child(2){padding-left:.5em;font-weight:bold}
        """

    private static func row(_ tenant: OperatorReport.TenantReport, _ now: Int) -> String {
        var why: [String] = []
        if let failure = tenant.reading.lastFailure {
            let ago = max(0, now - failure.time)
            why.append(
                "<code>\(escaped(failure.code.rawValue))</code>, \(ago < 120 ? "\(ago) s" : "\(ago / 60) min") ago: "
                    + escaped(failure.code.title))
            if tenant.condition != .ok { why.append(escaped(failure.code.advice)) }
        }
        if tenant.isStale {
            why.append(
                "its file has faults: it goes on as it was, without the keys that the file no longer lists "
                    + "(<code>ponte check</code>)")
        }
        let recent = tenant.reading.recent
        let upstream =
            tenant.upstream.map {
                "\($0.breaker == .closed ? "called" : $0.breaker == .open ? "not called" : "being tried"), "
                    + "\($0.inFlight) in flight, \($0.waiting) waiting"
            } ?? ""
        let keys = tenant.keys.map { key in
            let days = key.daysLeft < 0 ? "expired" : "\(key.daysLeft) days left"
            return "\(escaped(key.name)): \(days)"
        }
        let cells = [
            escaped(tenant.id), tenant.condition.value, why.joined(separator: "<br>"),
            "\(recent.failures) of \(recent.requests) failed", upstream, keys.joined(separator: "<br>"),
        ]
        return #"<tr class="\#(tenant.condition.value)">"# + cells.map { "<td>\($0)</td>" }.joined() + "</tr>\n"
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
    }
}
