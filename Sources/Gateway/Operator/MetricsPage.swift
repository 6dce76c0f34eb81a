import Metering

/// `GET /metrics`: a report as Prometheus reads it.
enum MetricsPage {
    /// "unreleased" until there are releases.
    static let version: StaticString = "unreleased"

    static func write(_ report: OperatorReport) -> String {
        var page = Exposition()
        requests(report, &page)
        systems(report, &page)
        tenants(report, &page)
        server(report, &page)
        process(report, &page)
        return page.text
    }

    private typealias Report = OperatorReport

    /// Every tenant's readings, and those of nobody.
    private static func readings(_ report: Report) -> [(tenant: Label, reading: TenantMeter.Reading)] {
        report.tenants.map { ($0.name, $0.reading) } + [(.noTenant, report.nobody)]
    }

    private static func requests(_ report: Report, _ page: inout Exposition) {
        let readings = readings(report)
        page.family("ponte_requests_total", .counter, "Requests, by what was asked and what came of it.")
        for (tenant, reading) in readings {
            for entry in reading.requests.entries {
                page.sample(
                    [tenant, Label(entry.row), Label(statusOf: entry.column), Label(entry.column)], entry.count)
            }
        }
        page.family(
            "ponte_request_duration_seconds", .histogram, "From the head of a request to the end of its answer.")
        for (tenant, reading) in readings {
            for (route, times) in zip(CountedRoute.all, reading.requestTimes) where times.count > 0 {
                page.histogram([tenant, Label(route)], times)
            }
        }
        page.family("ponte_lists_broken_total", .counter, "Lists that broke off after their head was sent.")
        for tenant in report.tenants { page.sample([tenant.name], tenant.reading.brokenLists) }
    }

    private static func systems(_ report: Report, _ page: inout Exposition) {
        page.family("ponte_system_calls_total", .counter, "Calls to the clinics' systems, and what came of them.")
        for tenant in report.tenants {
            for entry in tenant.reading.calls.entries {
                page.sample([tenant.name, Label(entry.row), Label(entry.column)], entry.count)
            }
        }
        page.family("ponte_system_call_duration_seconds", .histogram, "Time of a call, its waits and retries included.")
        for tenant in report.tenants {
            for (operation, times) in zip(SystemOperation.all, tenant.reading.callTimes) where times.count > 0 {
                page.histogram([tenant.name, Label(operation)], times)
            }
        }
        let ways = report.tenants.compactMap { tenant in tenant.upstream.map { (tenant.name, $0) } }
        page.family("ponte_breaker_state", .gauge, "1 for the state that the circuit breaker is in.")
        for (name, way) in ways { page.state([name], BreakerLabel(way.breaker)) }
        page.family("ponte_system_calls_in_flight", .gauge, "Calls on the wire.")
        for (name, way) in ways { page.sample([name], way.inFlight) }
        page.family("ponte_system_calls_queued", .gauge, "Calls that wait for their turn.")
        for (name, way) in ways { page.sample([name], way.waiting) }
        page.family("ponte_system_retries_total", .counter, "Attempts beyond the first of a call.")
        for (name, way) in ways { page.sample([name], way.retries) }
        page.family("ponte_system_logins_total", .counter, "Requests for a token.")
        for (name, way) in ways { page.sample([name], way.logins) }
    }

    private static func tenants(_ report: Report, _ page: inout Exposition) {
        page.family("ponte_tenants", .gauge, "Tenants being served.")
        page.sample(report.tenants.count)
        page.family("ponte_tenant_state", .gauge, "1 for the word that says how a tenant is.")
        for tenant in report.tenants { page.state([tenant.name], tenant.condition) }
        page.family("ponte_tenant_stale", .gauge, "1 where a tenant goes on as it was, its file having faults.")
        for tenant in report.tenants { page.sample([tenant.name], tenant.isStale ? 1 : 0) }
        page.family(
            "ponte_key_expiry_days", .gauge, "Days for which a key is good after today; negative once it expired.")
        for tenant in report.tenants {
            for key in tenant.keys { page.sample([tenant.name, Label(key: ConfiguredName(key.name))], key.daysLeft) }
        }
    }

    private static func server(_ report: Report, _ page: inout Exposition) {
        page.family("ponte_configuration_reloads_total", .counter, "How often the files were read again.")
        for (result, count) in report.reloads { page.sample([Label(result)], count) }
        page.family("ponte_configuration_faults", .gauge, "Faults of the configuration as it was last read.")
        page.sample(report.faults)
        page.family("ponte_connections_open", .gauge, "Inbound connections.")
        page.sample(report.connections.open)
        page.family("ponte_connections_refused_total", .counter, "Inbound connections that were one too many.")
        page.sample(report.connections.refused)
        page.family("ponte_log_lines_dropped_total", .counter, "Lines of the log that nobody will ever read.")
        page.sample(report.linesLost)
        page.family("ponte_draining", .gauge, "1 once Ponte has been told to stop.")
        page.sample(report.isDraining ? 1 : 0)
        page.family("ponte_build_info", .gauge, "1, with the version.")
        page.sample([Label(version: version)], 1)
    }

    private static func process(_ report: Report, _ page: inout Exposition) {
        let process = report.process
        page.family("process_cpu_seconds_total", .counter, "Time of all processors.")
        page.sample([], process.processorSeconds)
        page.family("process_start_time_seconds", .gauge, "When the process began, since 1970-01-01.")
        page.sample([], process.started)
        if let bytes = process.residentBytes {
            page.family("process_resident_memory_bytes", .gauge, "Memory in use.")
            page.sample(bytes)
        }
        if let files = process.openFiles {
            page.family("process_open_fds", .gauge, "Open files.")
            page.sample(files)
        }
        if let most = process.mostFiles {
            page.family("process_max_fds", .gauge, "Files that may be open.")
            page.sample(most)
        }
    }
}
