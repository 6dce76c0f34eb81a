extension MockOptions {
    /// What a tenant of this pretend system gives for credentials, by the names of the profile that is called as the
    /// dialect.
    public var credentials: [String: String] {
        switch dialect {
        case .agendaDemo, .versatilis: ["user": user, "password": password]
        case .feegow, .belle, .clinicaExperts, .conexa, .easyappointments, .gestaods, .realclinic:
            ["token": accessToken]
        case .prodoctor: ["key": accessToken, "password": password]
        case .clinicaNasNuvens: ["clientId": user, "clientSecret": password, "cid": accessToken]
        case .clinicorp: ["user": user, "token": accessToken]
        // The shard is the key's tail.
        case .cliniko: ["key": accessToken + "-au1"]
        case .ninsaude: ["refreshToken": accessToken]
        case .odoo: ["key": accessToken]
        case .openemr: ["clientId": accessToken, "user": user, "password": password]
        case .shosp: ["key": accessToken, "id": user]
        case .simplybook: ["login": user, "password": password]
        case .gnuHealth, .fhirOpenMRS: ["user": user, "password": password]
        case .fhirHAPI: [:]
        case .fhirAzure: ["clientID": user, "clientSecret": password]
        case .fhirGoogle: ["token": accessToken]
        case .fhirNilo: ["key": accessToken]
        }
    }

    /// What it gives for settings that have no default.
    public var settings: [String: String] {
        switch dialect {
        case .clinicorp: ["subscriber": "clinica-teste"]
        case .cliniko: ["contact": "ponte@example.test"]
        case .realclinic: ["host": "clinica", "clinic": "Clinica"]
        case .simplybook: ["company": "clinica-teste"]
        case .versatilis: ["clinic": "Clinica"]
        default: [:]
        }
    }
}
