import JSONBytes

/// Patients as Patient resources, in each server's spelling.
enum FHIRPatient {
    /// Identifier systems of CPFs in use in Brazil: each a token of its own.
    static let cpfSystems = [
        "https://saude.gov.br/fhir/sid/cpf", "http://rnds.saude.gov.br/fhir/r4/NamingSystem/cpf",
        "https://rnds-fhir.saude.gov.br/NamingSystem/cpf", "http://rnds-fhir.saude.gov.br/NamingSystem/cpf",
        "https://rnds.saude.gov.br/fhir/r4/NamingSystem/cpf", "https://fhir.saude.gov.br/sid/cpf",
        "https://saude.gov.br/sid/cpf", "https://servicos.receita.fazenda.gov.br/servicos/cpf/",
        "https://www.gov.br/receitafederal/cpf", "urn:oid:2.16.840.1.113883.13.237",
    ]

    /// - Parameter ending: members to stand last, with a comma before each.
    static func resource(
        _ person: Person, row: Int, _ flavour: FHIRFlavour, isActive: Bool = true, ending: String = ""
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 900)
        json.raw(#"{"resourceType":"Patient","id":"#)
        json.string(flavour.id(ofRow: row))
        json.raw(#","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">Paciente</div>"}"#)
        json.raw(#","extension":[{"url":"https://clinica.example.test/prontuario","valueString":"P-"#)
        json.number(row + 1)
        json.raw(#""}],"identifier":[{"#)
        if flavour == .openmrs {
            json.raw(#""extension":[{"url":"http://fhir.openmrs.org/ext/patient/identifier#location","#)
            json.raw(#""valueReference":{"reference":"Location/1"}}],"#)
        }
        json.raw(#""system":"https://clinica.example.test/prontuario","value":"P-"#)
        json.number(row + 1)
        json.raw(#""}"#)
        if let cpf = person.cpf {
            json.raw(",")
            writeCPF(cpf, row, flavour, &json)
        }
        json.raw(#"],"active":"#)
        json.bool(isActive)
        json.raw(#","name":["#)
        writeName(person.name, row, flavour, &json)
        json.raw(#"],"telecom":["#)
        if row == 0 {
            // No longer his.
            json.raw(#"{"system":"phone","value":"+5511900000000","use":"old"}"#)
        }
        for (place, phone) in person.phones.enumerated() {
            json.comma()
            json.raw("{")
            // Some were entered for messages, and some of what kind nobody said.
            if flavour == .hapi, row % 6 > 3 {
                json.raw(row % 6 == 4 ? #""system":"sms","# : "")
            } else {
                json.raw(#""system":"phone","#)
            }
            json.raw(#""value":"#)
            json.string(spelled(phone, row, flavour))
            json.raw(phone.kind == .landline ? #","use":"home","rank":"# : #","use":"mobile","rank":"#)
            json.number(place + 1)
            json.raw("}")
        }
        if let email = person.email {
            json.comma()
            json.raw(#"{"system":"email","value":"#)
            json.string(email)
            json.raw("}")
        }
        json.raw("]")
        if let birthday = person.birthday {
            json.raw(#","birthDate":"#)
            // Some know no more than the year.
            json.string(row % 29 == 28 ? Text.padded(birthday.year, to: 4) : birthday.iso)
        }
        if let photo = person.photo {
            json.raw(#","photo":[{"contentType":"image/jpeg","url":"#)
            json.string(photo)
            json.raw("}]")
        }
        json.raw(Array(ending.utf8))
        json.raw("}")
        return json.finish()
    }

    private static func writeCPF(_ cpf: String, _ row: Int, _ flavour: FHIRFlavour, _ json: inout JSONWriter) {
        switch flavour {
        case .openmrs:
            json.raw(#"{"use":"official","type":{"text":"CPF"},"value":"#)
        case .nilo:
            json.raw(#"{"system":"https://servicos.receita.fazenda.gov.br/servicos/cpf/","value":"#)
        case .azure, .google:
            json.raw(#"{"system":"https://saude.gov.br/fhir/sid/cpf","value":"#)
        case .hapi:
            json.raw(#"{"system":"#)
            json.string(cpfSystems[row % cpfSystems.count])
            json.raw(#","value":"#)
        }
        json.string(flavour == .hapi && row % 7 == 5 ? CPF.punctuated(cpf) : cpf)
        json.raw("}")
    }

    private static func writeName(_ name: String, _ row: Int, _ flavour: FHIRFlavour, _ json: inout JSONWriter) {
        let words = name.split(separator: " ").map(String.init)
        let hasParts: Bool
        switch flavour {
        case .openmrs, .nilo: hasParts = true
        case .hapi: hasParts = row % 2 == 1
        case .azure, .google: hasParts = false
        }
        json.raw(#"{"use":"official""#)
        if flavour != .openmrs, !(flavour == .hapi && hasParts) {
            json.raw(#","text":"#)
            json.string(name)
        }
        if hasParts {
            json.raw(#","given":["#)
            for word in words.count > 1 ? words.dropLast() : words[...] {
                json.comma()
                json.string(word)
            }
            json.raw("]")
            if words.count > 1, let family = words.last {
                json.raw(#","family":"#)
                json.string(family)
            }
        }
        json.raw("}")
    }

    private static func spelled(_ phone: Phone, _ row: Int, _ flavour: FHIRFlavour) -> String {
        let international = phone.kind == .foreign ? phone.digits : "55" + phone.digits
        switch flavour {
        case .nilo: return international
        case .azure: return "+" + international
        case .openmrs: return phone.punctuated()
        case .google:
            return phone.kind == .foreign
                ? "+" + international
                : "+55 \(phone.digits.prefix(2)) \(phone.digits.dropFirst(2).dropLast(4))-\(phone.digits.suffix(4))"
        case .hapi:
            if phone.kind == .foreign { return "+" + international }
            let (area, subscriber) = (phone.digits.prefix(2), phone.digits.dropFirst(2))
            let parted = "\(subscriber.dropLast(4))-\(subscriber.suffix(4))"
            let apart = subscriber.count == 9 ? "\(subscriber.prefix(1)) \(parted.dropFirst())" : parted
            let spellings = [
                international, "+" + international, phone.digits, phone.punctuated(), "tel:+" + international,
                "+55 \(area) \(subscriber)", "\(area) \(subscriber)", "55 \(area) \(parted)", "(0\(area)) \(parted)",
                "\(area) \(apart)",
                "(\(area)) \(apart)",
            ]
            return spellings[row % spellings.count]
        }
    }

    /// What a resource can be searched by.
    struct Keys {
        var identifiers: [(system: String, value: String)] = []
        var phones: [String] = []
        var emails: [String] = []
        /// The values of all contact points, of whatever system, or none.
        var telecoms: [String] = []
        /// Text, family and given names, folded.
        var names: [String] = []

        init(_ resource: JSONValue) {
            for identifier in resource["identifier"]?.elements ?? [] {
                identifiers.append((identifier["system"]?.string ?? "", identifier["value"]?.string ?? ""))
            }
            for point in resource["telecom"]?.elements ?? [] {
                guard let value = point["value"]?.string else { continue }
                telecoms.append(value)
                if point["system"]?.string == "phone" { phones.append(value) }
                if point["system"]?.string == "email" { emails.append(value) }
            }
            for name in resource["name"]?.elements ?? [] {
                names += [name["text"]?.string, name["family"]?.string].compactMap { $0 }.map(Text.folded)
                names += (name["given"]?.elements ?? []).compactMap { $0.string.map(Text.folded) }
            }
        }
    }
}
