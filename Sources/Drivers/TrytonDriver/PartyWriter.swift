import ClientContract
import JSONBytes
import UpstreamDriver

/// What a party is written with. One call creates or changes the person and everything that hangs on it, in one
/// transaction: no half of a client is ever left behind.
enum PartyWriter {
    /// A new person who is a patient.
    /// - Parameter federationCountry: the clinic's own, for the federation account that GNU Health makes; nil for none.
    static func party(_ draft: ClientDraft, federationCountry: String?) -> RPCValue {
        let (given, family) = PersonNames.split(draft.name)
        var mechanisms: [RPCValue] = [
            // Tryton accepts only international numbers where it checks them.
            ["type": draft.phone.kind == .landline ? "phone" : "mobile", "value": .text("+" + draft.phone.digits)]
        ]
        if let email = draft.email { mechanisms.append(newEmail(email)) }
        var members: [(String, RPCValue)] = [
            ("name", .text(given)), ("lastname", RPCValue(family)),
            // Persons must have one: unknown.
            ("gender", "u"),
            // Must be there, even if it is null.
            ("fed_country", RPCValue(federationCountry)),
            ("is_person", true), ("is_patient", true),
            // Makes the patient with the person; what it is by default comes too late.
            ("create_target", true),
            ("contact_mechanisms", [["create", .list(mechanisms)]]),
        ]
        if let cpf = draft.cpf { members.append(("identifiers", [["create", [newCPF(cpf)]]])) }
        if let birthday = draft.birthday { members.append(("dob", date(birthday))) }
        return .object(members)
    }

    /// What a patch changes in a party, and nothing else.
    static func changes(_ patch: ClientPatch, of party: PartyOnRecord) -> RPCValue {
        var members: [(String, RPCValue)] = []
        if let name = patch.name {
            let (given, family) = PersonNames.split(name, keeping: party.given, party.family)
            members += [("name", .text(given)), ("lastname", RPCValue(family))]
            // GNU Health copies a name to the person's official name, but not that there is no family name any more.
            if family == nil, !party.officialFamilies.isEmpty {
                let ids = party.officialFamilies.map { RPCValue.number($0) }
                members.append(("person_names", [["write", .list(ids), ["family": nil]]]))
            }
        }
        if let email = patch.email {
            let action: RPCValue =
                party.emailID.map { ["write", [.number($0)], ["value": .text(email)]] }
                ?? ["create", [newEmail(email)]]
            members.append(("contact_mechanisms", [action]))
        }
        if let cpf = patch.cpf {
            let action: RPCValue =
                party.cpfID.map { ["write", [.number($0)], ["code": .text(cpf.digits)]] } ?? ["create", [newCPF(cpf)]]
            members.append(("identifiers", [action]))
        }
        if let birthday = patch.birthday { members.append(("dob", date(birthday))) }
        return .object(members)
    }

    private static func newEmail(_ email: String) -> RPCValue {
        ["type": .text(Domains.emailType), "value": .text(email)]
    }

    /// Digits only, as Tryton's own client writes it.
    private static func newCPF(_ cpf: CPF) -> RPCValue { ["type": .text(Domains.cpfType), "code": .text(cpf.digits)] }

    private static func date(_ day: Birthday) -> RPCValue {
        ["__class__": "date", "year": .number(day.year), "month": .number(day.month), "day": .number(day.day)]
    }
}

/// What a party's record says that a change must know.
struct PartyOnRecord: Sendable {
    let given: String
    let family: String
    /// The address that the contract shows; a list's others stay as they are.
    let emailID: Int?
    let cpfID: Int?
    /// Official names that have a family name.
    let officialFamilies: [Int]
    /// When it was last written, as Tryton says it: a write that names it is refused when somebody else was faster.
    let stamp: String?

    init(_ row: JSONValue) {
        given = row["name"]?.string ?? ""
        family = row["lastname"]?.string ?? ""
        let mechanisms = row["contact_mechanisms."]?.elements ?? []
        let emails = mechanisms.filter { $0["type"]?.string == Domains.emailType }
        let shown = emails.first { PersonText.isEmail(PersonText.trimmed($0["value"]?.string ?? "")) }
        emailID = (shown ?? emails.first)?["id"]?.int
        let identifiers = row["identifiers."]?.elements ?? []
        let cpfs = identifiers.filter { $0["type"]?.string == Domains.cpfType }
        cpfID = (cpfs.first { CPF($0["code"]?.string ?? "") != nil } ?? cpfs.first)?["id"]?.int
        officialFamilies = (row["person_names."]?.elements ?? []).filter {
            $0["use"]?.string == "official" && $0["family"]?.string?.isEmpty == false
        }.compactMap { $0["id"]?.int }
        stamp = row["_timestamp"]?.string
    }
}
