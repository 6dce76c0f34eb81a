/// What sets the FHIR servers apart. `docs/mock.md` lists it for people.
enum FHIRFlavour: Sendable {
    case hapi, azure, google, openmrs, nilo

    enum SignIn: Sendable { case none, basic, bearer, apiKey, token }
    /// What happens to search parameters that the server does not know.
    enum Unknown: Sendable {
        /// 400, unless `Prefer: handling=lenient`.
        case refused
        /// Left out, and out of the self link; 400 with `Prefer: handling=strict`.
        case ignored
        /// Left out whatever the caller prefers.
        case alwaysIgnored
    }
    enum Links: Sendable { case getPages, continuation, pageToken, none }

    var basePath: String {
        switch self {
        case .hapi: "/fhir"
        case .azure, .nilo: ""
        case .google: "/v1/projects/demo/locations/demo/datasets/demo/fhirStores/demo/fhir"
        case .openmrs: "/openmrs/ws/fhir2/R4"
        }
    }

    var signIn: SignIn {
        switch self {
        case .hapi: .none
        case .azure: .token
        case .google: .bearer
        case .openmrs: .basic
        case .nilo: .apiKey
        }
    }

    var unknown: Unknown {
        switch self {
        case .hapi: .refused
        case .azure, .google: .ignored
        case .openmrs, .nilo: .alwaysIgnored
        }
    }

    var links: Links {
        switch self {
        case .hapi, .openmrs: .getPages
        case .azure: .continuation
        case .google: .pageToken
        case .nilo: .none
        }
    }

    /// Search parameters of Patient.
    var parameters: [String] {
        switch self {
        case .hapi, .azure, .google:
            ["identifier", "phone", "email", "telecom", "name", "family", "given", "birthdate"]
        case .openmrs: ["identifier", "name", "family", "given", "birthdate"]
        case .nilo: ["identifier"]
        }
    }

    /// Page sizes: unless asked, and at most.
    var pages: (usual: Int, most: Int) {
        switch self {
        case .hapi: (20, 50)
        case .azure: (10, 1000)
        case .google: (100, 1000)
        case .openmrs: (10, 100)
        case .nilo: (1000, 1000)
        }
    }

    /// Whether the case of letters counts in tokens.
    var mindsCase: Bool { self == .azure || self == .hapi }
    var hasMetadata: Bool { self != .nilo }
    var hasPatch: Bool { self != .openmrs && self != .nilo }
    /// Versions, entity tags and `If-Match`.
    var hasVersions: Bool { self != .openmrs && self != .nilo }
    var hasConditionalCreate: Bool { self != .openmrs && self != .nilo }
    /// Whether the whole resource comes back only to those who prefer it.
    var answersOnlyWhenAsked: Bool { self == .hapi }
    /// Searches are answered out of a cache for a minute, unless the caller wants none.
    var cachesSearches: Bool { self == .hapi }

    /// Whether searches come to know of a write after a while only, unless they are for one identifier with its system.
    var indexesLate: Bool { self == .google }

    func id(ofRow row: Int) -> String {
        let number = Text.padded(1_001 + row, to: 12)
        switch self {
        case .hapi: return String(1_001 + row)
        case .azure, .google, .openmrs, .nilo: return "00000000-0000-4000-8000-\(number)"
        }
    }

    func row(ofID id: String, count: Int) -> Int? {
        guard let number = Int(id.split(separator: "-").last ?? ""), number >= 1_001, number - 1_001 < count,
            self.id(ofRow: number - 1_001) == id
        else { return nil }
        return number - 1_001
    }
}
