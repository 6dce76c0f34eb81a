import Bridge
import ClientContract
import JSONBytes
import StrictConfig
import Transport
import UpstreamDriver

@testable import Tenancy

/// Tenant files and the server's file: faults that stand somewhere, or a plan that keeps its own bounds. References to
/// secrets are checked for their form only, so that no file and no variable of the environment is read.
func fuzzTenant(_ bytes: [UInt8]) async {
    server(bytes)
    let file = "tenants/" + fileName(bytes, "id")
    let reader = TenantReader(
        profiles: ShippedFiles.all.loaded, secrets: SecretSource(environment: { _ in nil }, resolves: false),
        baseURLs: [:], hasDatabase: bytes.count % 2 == 0)
    do throws(ConfigError) {
        let plan = try reader.read(bytes, file: file)
        checkPlan(plan)
        let again = try reader.read(bytes, file: file)
        check(again.fingerprint == plan.fingerprint && again.target == plan.target, "two readings are the same tenant")
        let driver = plan.driver.make(CannedSystem([UpstreamAnswer(status: 404)], mustBeSound: false))
        await exercise(driver, operation: 2)
    } catch {
        checkFaults(error.faults, of: bytes)
    }
}

private func checkPlan(_ plan: TenantPlan) {
    check(plan.description == "tenant \(plan.id)", "a tenant prints masked")
    check(!plan.id.isEmpty && plan.id.utf8.count <= 63 && !plan.name.isEmpty, "a tenant has a name")
    check(!plan.keys.isEmpty && Set(plan.keys.map(\.digest)).count == plan.keys.count, "a tenant has keys, each once")
    check(plan.callTimeout > .zero && plan.callTimeout <= .seconds(300), "a call ends")
    check(plan.listTimeout > .zero && plan.listTimeout <= .seconds(3600), "a list ends")
    check(plan.options.scan.maxRecords >= 1 && !plan.options.searchBy.isEmpty, "a scan is bounded")
    check((1...1000).contains(plan.channel.maxInFlight) && plan.channel.maxBodyBytes >= 1024, "a channel is bounded")
    check(plan.channel.paces.allSatisfy { $0.calls >= 1 && $0.per > .zero }, "a pace is one")
    for day in plan.keys.compactMap(\.expires) {
        check(CalendarDay(day.description) == day, "a day reads back")
        check(day.isOver(at: CalendarDay.now) == (day.daysLeft(at: CalendarDay.now) < 0), "a day is over or not")
    }
    for key in plan.keys { check(KeyDigest(hex: key.digest.hex) == key.digest, "a digest reads back") }
}

private func server(_ bytes: [UInt8]) {
    let report = ConfigReport(file: "server.json")
    guard let root = report.root(bytes) else { return checkFaults(report.faults, of: bytes) }
    let settings = ServerSettings(root, secrets: SecretSource(environment: { _ in nil }, resolves: false))
    if !report.faults.isEmpty { checkFaults(report.faults, of: bytes) }
    check((0...65_535).contains(settings.port) && settings.maxConnections >= 1, "a server has a port")
    check(settings.pathPrefix.isEmpty || settings.pathPrefix.hasPrefix("/"), "a prefix is a path")
    check(settings.headTimeout >= .seconds(1) && settings.idleTimeout >= .seconds(1), "a head has its time")
    check(settings.shutdownGrace >= .zero && settings.shutdownDelay >= .zero, "a shutdown has its time")
    _ = settings.complaint(aboutListeningAt: settings.host)
}
