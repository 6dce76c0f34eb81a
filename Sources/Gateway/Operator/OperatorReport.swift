import ClientContract
import Metering
import Tenancy
import Transport

/// How the tenants and the process are at one moment: what the operator's pages are written from. There is nothing of a
/// request in it but its route, its code and its time.
struct OperatorReport: Sendable {
    struct Key: Sendable {
        let name: String
        let expires: CalendarDay
        let daysLeft: Int
    }

    struct TenantReport: Sendable {
        let id: String
        let condition: ConditionLabel
        let isStale: Bool
        /// Nil for a tenant without a way to a system.
        let upstream: ChannelReading?
        let reading: TenantMeter.Reading
        /// Those that expire.
        let keys: [Key]

        var name: Label { Label(tenant: ConfiguredName(id)) }
    }

    let tenants: [TenantReport]
    /// Requests of no tenant.
    let nobody: TenantMeter.Reading
    let isDraining: Bool
    /// Faults of the configuration as it was last read.
    let faults: Int
    let reloads: [(result: ReloadLabel, count: Int)]
    let connections: (open: Int, refused: Int)
    let linesLost: Int
    let process: ProcessFacts
    /// Seconds since 1970-01-01 UTC.
    let time: Int

    init(_ tenants: TenantDirectory, _ meter: ServerMeter, isDraining: Bool, linesLost: Int) {
        let (overview, time) = (tenants.overview, CalendarDay.now)
        self.tenants = overview.tenants.sorted { $0.id < $1.id }.map { tenant in
            let (upstream, reading) = (tenant.upstream, tenant.meter.reading())
            let isStale = overview.stale.contains(tenant.id)
            return TenantReport(
                id: tenant.id, condition: Self.condition(upstream?.breaker, reading, isStale: isStale),
                isStale: isStale, upstream: upstream, reading: reading,
                keys: tenant.keys.compactMap { key in
                    key.expires.map { Key(name: key.name, expires: $0, daysLeft: $0.daysLeft(at: time)) }
                })
        }
        nobody = meter.nobody.reading()
        self.isDraining = isDraining
        faults = overview.faults
        reloads = ReloadLabel.all.map { ($0, meter.reloads($0)) }
        connections = (meter.connectionsOpen, meter.connectionsRefused)
        self.linesLost = linesLost
        process = ProcessFacts()
        self.time = time
    }

    /// The gravest word first: a system that is not called, then one of which most calls fail, and so on.
    static func condition(
        _ breaker: BreakerPhase?, _ reading: TenantMeter.Reading, isStale: Bool
    ) -> ConditionLabel {
        let (requests, failures) = reading.recent
        if breaker == .open || (failures >= 3 && failures * 2 >= requests) { return .failing }
        if failures > 0 || breaker == .halfOpen { return .degraded }
        return isStale ? .stale : .ok
    }
}

extension BreakerLabel {
    init(_ phase: BreakerPhase) {
        self =
            switch phase {
            case .closed: .closed
            case .open: .open
            case .halfOpen: .halfOpen
            }
    }
}
