import ClientContract
import FHIRDriver
import Transport
import UpstreamDriver

@testable import RESTDriver
@testable import TrytonDriver

/// Answers of clinics' systems, through the drivers and every profile that Ponte comes with: each call ends with clients
/// that read back or with a typed error, and sends nothing that may not be sent.
///
/// The first four bytes choose the system, the call, the status and the content type. The rest are bodies, one for each
/// request in turn, with a byte 0x1E between them. Without the bit 0x80 in the second byte the session is left out of the
/// profile, so that the bodies answer the call itself.
func fuzzResponse(_ bytes: [UInt8]) async {
    guard bytes.count >= 4 else { return }
    let (system, call) = (Int(bytes[0]), bytes[1])
    let status = statuses[Int(bytes[2]) % statuses.count]
    let type = contentTypes[Int(bytes[3]) % contentTypes.count]
    let headers = type.isEmpty ? [] : [(name: "Content-Type", value: type)]
    var answers = parts(Array(bytes[4...])).map {
        UpstreamAnswer(status: status, headers: headers + hints(bytes[2]), body: $0)
    }
    let files = ShippedFiles.all
    let number = system % (files.rest.count + files.fhir.count + 1)
    let signsIn = call & 0x80 != 0
    if number < files.rest.count {
        let profile = files.rest[number].profile
        let driver = rest(signsIn ? profile : profile.withoutLogin, CannedSystem(answers, mustBeSound: true))
        return await exercise(driver, operation: call & 0x7F)
    }
    if number < files.rest.count + files.fhir.count {
        let profile = files.fhir[number - files.rest.count].profile
        for signIn in profile.signIns.prefix(2) {
            await exercise(fhir(profile, signIn, CannedSystem(answers, mustBeSound: true)), operation: call & 0x7F)
        }
        return
    }
    let clinic = TrytonClinic(
        baseURL: CannedSystem.address, database: "gh", user: Secret("ponte"), password: Secret("segredo.de.teste"))
    if !signsIn {
        let session = Array(#"{"id":1,"result":[1,"0123456789abcdef"]}"#.utf8)
        answers.insert(UpstreamAnswer(status: 200, body: session), at: 0)
    }
    await exercise(TrytonDriver(clinic: clinic, http: CannedSystem(answers, mustBeSound: true)), operation: call & 0x7F)
}

extension FuzzTarget {
    /// The systems that the first byte of an input of `response` counts, by the names of their fixtures.
    static var systems: [String] {
        let files = ShippedFiles.all
        return files.rest.map(\.name) + files.fhir.map { "fhir-" + $0.name } + ["gnuhealth"]
    }
}

private let statuses = [
    200, 201, 204, 301, 302, 400, 401, 403, 404, 409, 410, 412, 422, 429, 500, 502, 503, 504, 207, 304,
]

private let contentTypes = [
    "application/json", "application/json; charset=utf-8", "text/html; charset=iso-8859-1",
    "application/fhir+json; charset=utf-8", "text/plain", "application/json; charset=windows-1252",
    "application/json; charset=ISO-8859-15", "application/json; charset=utf-16", "", "text/html",
    "application/json; =;charset=\"",
    "application/json;charset=utf-16be",
]

/// What a few systems send beside: an address of what was made, a version, a time to wait.
private func hints(_ byte: UInt8) -> [(name: String, value: String)] {
    switch byte >> 5 {
    case 1: [("Location", CannedSystem.address + "/Patient/1/_history/2"), ("ETag", "W/\"2\"")]
    case 2: [("Location", "/api/patients/%FF%2F..//x?y#z"), ("ETag", "\"\u{1}\r\nX: y\"")]
    case 3: [("Retry-After", "99999999999999999999")]
    case 4: [("Retry-After", "Fri, 27 Nov 2026 12:00:00 GMT"), ("Date", "Fri, 31 Feb 0000 99:99:99 GMT")]
    case 5: [("X-RateLimit-Reset", "-9223372036854775808"), ("Retry-After", "-1")]
    default: []
    }
}

extension Profile {
    /// The same API for a caller who is known already.
    fileprivate var withoutLogin: Profile {
        var plan = plan
        plan.login = nil
        return Profile(
            name: name, title: title, baseURL: baseURL, credentials: credentials, settings: settings,
            concurrent: concurrent, pace: pace, capabilities: capabilities, plan: plan)
    }
}
