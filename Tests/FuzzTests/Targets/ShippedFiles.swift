import FHIRDriver
import RESTDriver

@testable import Tenancy

/// The profiles that Ponte comes with, compiled once.
struct ShippedFiles: Sendable {
    static let all = ShippedFiles()

    let rest: [(name: String, profile: Profile)]
    let fhir: [(name: String, profile: FHIRProfile)]
    /// As the reader of tenant files wants them.
    let loaded: [String: [String: LoadedProfile?]]

    /// The repository: the fuzzers' working directory, and four folders up from this file.
    static let repository: String = {
        #if FUZZING
            "."
        #else
            #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4).joined(separator: "/")
        #endif
    }()

    private init() {
        var rest: [(name: String, profile: Profile)] = []
        var fhir: [(name: String, profile: FHIRProfile)] = []
        var loaded: [String: [String: LoadedProfile?]] = [:]
        let folder = Self.repository + "/Config/drivers"
        for name in Self.names(folder) {
            guard let bytes = try? Files.read("\(folder)/\(name).json"),
                let profile = try? Profile(bytes, file: name + ".json")
            else { continue }
            rest.append((name, profile))
            loaded["rest", default: [:]][name] = LoadedProfile(content: profile, bytes: bytes)
        }
        for name in Self.names(folder + "/fhir") {
            guard let bytes = try? Files.read("\(folder)/fhir/\(name).json"),
                let profile = try? FHIRProfile(bytes, file: name + ".json")
            else { continue }
            fhir.append((name, profile))
            loaded["fhir", default: [:]][name] = LoadedProfile(content: profile, bytes: bytes)
        }
        // A fuzzer without any would find nothing, and say so to nobody.
        guard rest.count >= 17, fhir.count >= 5 else {
            fatalError("\(folder) has \(rest.count) and \(fhir.count) sound profiles")
        }
        (self.rest, self.fhir, self.loaded) = (rest, fhir, loaded)
    }

    private static func names(_ folder: String) -> [String] {
        ((try? Files.jsonNames(in: folder)) ?? []).map { String($0.dropLast(".json".count)) }
    }
}
