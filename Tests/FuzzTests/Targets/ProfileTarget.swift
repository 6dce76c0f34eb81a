import ClientContract
import JSONBytes
import StrictConfig
import Transport
import UpstreamDriver

@testable import FHIRDriver
@testable import RESTDriver

/// Profiles of both languages: any bytes are refused, with faults that stand somewhere, or make a plan; and a plan
/// survives whatever its system answers. The answers follow the profile, each after a byte 0x1E.
func fuzzProfile(_ bytes: [UInt8]) async {
    let all = parts(bytes)
    let file = all[0]
    let bodies = all.count > 1 ? Array(all[1...]) : [Array(#"{"id":1,"nome":"Ana Teste"}"#.utf8)]
    let answers = bodies.map {
        UpstreamAnswer(status: 200, headers: [(name: "Content-Type", value: "application/json")], body: $0)
    }
    do throws(ConfigError) {
        let profile = try Profile(file, file: "fuzz.json")
        await exercise(rest(profile, CannedSystem(answers, mustBeSound: false)))
        mapped(profile, bodies[0])
    } catch {
        checkFaults(error.faults, of: file)
    }
    do throws(ConfigError) {
        let profile = try FHIRProfile(file, file: fileName(file))
        for signIn in profile.signIns.prefix(2) {
            await exercise(fhir(profile, signIn, CannedSystem(answers, mustBeSound: false)))
        }
    } catch {
        checkFaults(error.faults, of: file)
    }
}

/// A profile and a tenant are called as their files.
func fileName(_ file: [UInt8], _ member: String = "name") -> String {
    let name = (try? JSONDocument(file, limits: JSONLimits(depth: 64)))?.root[member]?.string ?? "fuzz"
    return (name.contains("/") ? "fuzz" : name) + ".json"
}

/// A driver as a tenant with all credentials and settings gets it.
func rest(_ profile: Profile, _ http: any HTTPSending) -> RESTDriver {
    // Repeated names are the profile's affair.
    let credentials = Dictionary(profile.credentials.map { ($0, Secret("segredo.de.teste")) }) { first, _ in first }
    let settings = Dictionary(profile.settings.filter(\.isGiven).map { ($0.name, "7") }) { first, _ in first }
    return RESTDriver(
        profile: profile,
        tenant: RESTTenant(baseURL: CannedSystem.address, credentials: credentials, settings: settings), http: http)
}

func fhir(_ profile: FHIRProfile, _ signIn: SignIn, _ http: any HTTPSending) -> FHIRDriver {
    var settings: [String: String] = [:]
    for setting in profile.settings(signIn) where !setting.isOptional && setting.fallback == nil {
        settings[setting.name] =
            setting.name == FHIRProfile.tokenURL ? CannedSystem.address + "/token" : "urn:oid:2.16.76.1.3.1"
    }
    let credentials = Dictionary(signIn.credentials.map { ($0, Secret("segredo.de.teste")) }) { first, _ in first }
    return FHIRDriver(
        profile: profile,
        tenant: FHIRTenant(baseURL: CannedSystem.address, credentials: credentials, settings: settings), http: http)
}

/// Both directions of the mapping without a call.
private func mapped(_ profile: Profile, _ answer: [UInt8]) {
    let mapping = ProfileMapping(profile)
    for form in mapping.forms {
        if let client = try? mapping.client(in: answer, as: form, id: ClientID("1")) { readsBack(client) }
    }
    let patch = ClientPatch(name: "Bruno Exemplo", email: "bruno@example.test", cpf: CPF("98765432100"))
    if let record = try? mapping.update(patch, of: answer) {
        check((try? JSONDocument(record)) != nil, "an update is JSON")
    }
}

/// Every fault of a file says what is wrong, and where: at a place that the file has.
func checkFaults(_ faults: [ConfigFault], of file: [UInt8]) {
    check(!faults.isEmpty, "an error has faults")
    let root = (try? JSONDocument(file, limits: JSONLimits(depth: 64, bytes: 4 << 20)))?.root
    let isAmbiguous = faults.contains { $0.message.hasPrefix("stands twice") }
    for fault in faults {
        check(fault.line >= 1 && fault.column >= 1 && !fault.message.isEmpty, "a fault has a place and a text")
        check(!fault.description.utf8.contains { $0 < 0x20 || $0 == 0x7F }, "a fault is one line")
        guard let root, let pointer = JSONPointer(fault.pointer) else {
            check(root == nil || fault.pointer.isEmpty, "a fault's place is a pointer")
            continue
        }
        // Of a name that stands twice, only one place has a pointer.
        check(isAmbiguous || root[pointer] != nil, "a fault's place is in the file: \(fault.pointer)")
    }
}
