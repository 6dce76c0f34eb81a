import ClientContract
import DriverSupport
import JSONBytes

/// Writes Patient resources.
struct PatientWriter: Sendable {
    let plan: FHIRPlan
    let settings: [String: String]
    /// How numbers will be read back.
    let phones: PhoneContext

    /// The resource that a create sends.
    /// - Parameter uuid: the identifier of a record without a CPF, where the plan wants one.
    func resource(for draft: ClientDraft, uuid: String?) -> [UInt8] {
        var writer = JSONWriter(capacity: 512)
        writer.raw(#"{"resourceType":"Patient""#)
        for member in plan.createMembers {
            writer.raw(",")
            writer.key(member.name)
            writer.raw(member.value.expand(settings))
        }
        if !plan.createMembers.contains(where: { $0.name == "active" }) { writer.raw(#","active":true"#) }
        if let cpf = draft.cpf {
            writer.raw(#","identifier":["#)
            writer.raw(identifier(cpf))
            writer.raw("]")
        } else if let uuid {
            writer.raw(#","identifier":[{"system":"#)
            writer.string(UUIDText.system)
            writer.raw(#","value":"#)
            writer.string(UUIDText.prefix + uuid)
            writer.raw("}]")
        }
        writer.raw(#","name":["#)
        writer.raw(name(draft.name))
        writer.raw(#"],"telecom":["#)
        writer.raw(phone(draft.phone))
        if let email = draft.email {
            writer.raw(",")
            writer.raw(contact("email", email))
        }
        writer.raw("]")
        if let birthday = draft.birthday {
            writer.raw(#","birthDate":"#)
            writer.string(birthday.iso)
        }
        writer.raw("}")
        return writer.finish()
    }

    // MARK: Elements

    func identifier(_ cpf: CPF) -> [UInt8] {
        var writer = JSONWriter(capacity: 128)
        writer.raw("{")
        for member in plan.cpf.members {
            writer.comma()
            writer.key(member.name)
            writer.raw(member.value.expand(settings))
        }
        if plan.cpf.writesSystem {
            writer.comma()
            writer.raw(#""system":"#)
            writer.string(plan.cpf.write)
        }
        writer.comma()
        writer.raw(#""value":"#)
        writer.string(plan.cpf.spelling.write(cpf))
        writer.raw("}")
        return writer.finish()
    }

    func name(_ name: String) -> [UInt8] {
        var writer = JSONWriter(capacity: 128)
        writer.raw(#"{"use":"#)
        writer.string(plan.nameUse)
        if plan.nameForm != .parts {
            writer.raw(#","text":"#)
            writer.string(name)
        }
        if plan.nameForm != .text {
            let (given, family) = PatientWriter.parts(of: name)
            writer.raw(#","given":"#)
            writer.raw(PatientWriter.array(given))
            if let family {
                writer.raw(#","family":"#)
                writer.string(family)
            }
        }
        writer.raw("}")
        return writer.finish()
    }

    /// Given names and the family's, which is the last word, unless the record has more words there and the name still
    /// ends with them. Read again, they are the name that was written.
    static func parts(of name: String, given: String = "", family: String = "") -> (given: [String], family: String?) {
        let words = name.split(whereSeparator: \.isWhitespace).map(String.init)
        let border = NameBorder.place(in: words, by: .lastWord, first: given, rest: family)
        let rest = words.dropFirst(border).joined(separator: " ")
        return (Array(words.prefix(border)), rest.isEmpty ? nil : rest)
    }

    private func phone(_ phone: PhoneNumber) -> [UInt8] {
        var text = plan.phoneSpelling.write(phone) ?? "+" + phone.digits
        // A spelling that would be read back as another number is not used.
        if !PhoneNumber.all(in: text, context: phones).contains(phone) { text = "+" + phone.digits }
        return contact("phone", text, use: plan.phoneUse)
    }

    func contact(_ system: String, _ value: String, use: String? = nil) -> [UInt8] {
        var writer = JSONWriter(capacity: 96)
        writer.raw(#"{"system":"#)
        writer.string(system)
        writer.raw(#","value":"#)
        writer.string(value)
        if let use {
            writer.raw(#","use":"#)
            writer.string(use)
        }
        writer.raw("}")
        return writer.finish()
    }

    static func string(_ text: String) -> [UInt8] {
        var writer = JSONWriter(capacity: text.utf8.count + 16)
        writer.string(text)
        return writer.finish()
    }

    static func array(_ texts: [String]) -> [UInt8] {
        var writer = JSONWriter(capacity: 64)
        writer.raw("[")
        for text in texts {
            writer.comma()
            writer.string(text)
        }
        writer.raw("]")
        return writer.finish()
    }
}
