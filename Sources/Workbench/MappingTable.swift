public import ClientContract
import JSONBytes
public import RESTDriver
import UpstreamDriver

/// Both directions of a profile's mapping for one record, side by side: what `ponte map` prints. It shows the record's
/// values: use it with made-up patients.
public struct MappingTable: Sendable {
    public let text: String
    /// Whether the record could be read.
    public let isReadable: Bool

    /// - Parameter record: one record in the system's shape, alone or in its answer.
    public init(_ profile: Profile, record: [UInt8], form: ProfileMapping.Form, phones: PhoneContext) {
        let mapping = ProfileMapping(profile, phones: phones)
        var parts: [String] = []
        let client: Client
        do throws(UpstreamError) {
            client = try mapping.client(in: record, as: form, id: ClientID("id-asked-for"))
        } catch {
            text = "The record cannot be read as a \(form.rawValue) of \(profile.title): \(error)"
            isReadable = false
            return
        }
        isReadable = true
        parts.append(
            Self.sideBySide(
                left: ("\(profile.title), \(form.rawValue)", Self.pretty(record)),
                right: ("Ponte answers", Self.pretty(client.wire))))
        let unread = (try? mapping.unread(in: record, as: form)) ?? []
        let missing = ClientField.allCases.filter { field in
            !client.has(field) && !unread.contains { $0.field == field }
        }.map(\.wireName)
        if !missing.isEmpty { parts.append("Not in the answer: \(missing.joined(separator: ", "))") }
        parts += unread.map { member in
            "\(member.field.wireName) is there and cannot be read: its format fits none of these.\n"
                + member.places.map { "  \($0.pointer) holds \($0.json)" }.joined(separator: "\n")
        }
        parts.append(Self.create(client, mapping, profile))
        if !profile.capabilities.operations.contains(.update) {
            parts.append("No change: the profile has no update.")
        } else if let fields = mapping.changedByCall {
            parts.append("A change is a call of its own, for: \(fields.map(\.wireName).joined(separator: ", "))")
        } else if form == .detail {
            parts += Self.updates(client, mapping, record)
        } else {
            parts.append("What changes send is shown for a full record: --shape detail.")
        }
        text = parts.joined(separator: "\n\n")
    }

    // MARK: Writing

    private static func create(_ client: Client, _ mapping: ProfileMapping, _ profile: Profile) -> String {
        guard let phone = client.phone else {
            return "No create: the client has no phone, and the contract asks for one."
        }
        let draft = ClientDraft(
            name: client.name, phone: phone, email: client.email, birthday: client.birthday, cpf: client.cpf)
        do throws(UpstreamError) {
            return sideBySide(
                left: ("Clinia would send", pretty(draft.wire)),
                right: ("\(profile.title) gets (create)", pretty(try mapping.createBody(draft))))
        } catch {
            return profile.capabilities.operations.contains(.create)
                ? "No create: \(error)" : "No create: the profile has none."
        }
    }

    private static func updates(_ client: Client, _ mapping: ProfileMapping, _ record: [UInt8]) -> [String] {
        let patches: [(String, ClientPatch)] = [
            ("name", ClientPatch(name: "Carla Modelo")), ("email", ClientPatch(email: "carla@example.test")),
            ("cpf", ClientPatch(cpf: CPF("20000000108"))), ("birthday", ClientPatch(birthday: Birthday("1985-03-15"))),
        ]
        return patches.map { name, patch in
            do throws(UpstreamError) {
                let sent = pretty(try mapping.updateBody(patch, of: record))
                return "A change of \(name) sends:\n" + indented(sent)
            } catch {
                return "No change of \(name): \(error)"
            }
        }
    }

    // MARK: Layout

    private static func indented(_ text: String) -> String {
        text.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n")
    }

    private static func sideBySide(left: (title: String, text: String), right: (title: String, text: String)) -> String
    {
        let (one, other) = (left.text.split(separator: "\n"), right.text.split(separator: "\n"))
        let width = min(60, max(left.title.count, one.map(\.count).max() ?? 0))
        func row(_ left: some StringProtocol, _ right: some StringProtocol) -> String {
            let shown = left.count > width ? String(left.prefix(width - 1)) + "…" : String(left)
            return shown + String(repeating: " ", count: width - shown.count) + " │ " + right
        }
        var lines = [row(left.title, right.title)]
        lines.append(String(repeating: "─", count: width) + "─┼─" + String(repeating: "─", count: 40))
        for index in 0..<max(one.count, other.count) {
            lines.append(row(index < one.count ? one[index] : "", index < other.count ? other[index] : ""))
        }
        return lines.joined(separator: "\n")
    }

    /// A form with a field a line, encoded as it goes out.
    private static func pretty(_ body: ProfileMapping.Body) -> String {
        guard body.isForm else { return pretty(body.bytes) }
        return String(decoding: body.bytes, as: UTF8.self).split(separator: "&").joined(separator: "\n")
    }

    /// JSON with a member or element a line; what is no JSON as it is.
    static func pretty(_ bytes: [UInt8]) -> String {
        guard let document = try? JSONDocument(bytes) else { return String(decoding: bytes, as: UTF8.self) }
        var text = ""
        write(document.root, "", &text)
        return text
    }

    private static func write(_ value: JSONValue, _ indent: String, _ text: inout String) {
        let inner = indent + "  "
        switch value.kind {
        case .object where !value.members.isEmpty:
            text += "{\n"
            for (index, member) in value.members.enumerated() {
                var key = JSONWriter()
                key.string(member.key)
                text += inner + String(decoding: key.finish(), as: UTF8.self) + ": "
                write(member.value, inner, &text)
                text += index + 1 < value.members.count ? ",\n" : "\n"
            }
            text += indent + "}"
        case .array where !value.elements.isEmpty:
            text += "[\n"
            for (index, element) in value.elements.enumerated() {
                text += inner
                write(element, inner, &text)
                text += index + 1 < value.elements.count ? ",\n" : "\n"
            }
            text += indent + "]"
        default: text += String(decoding: value.source, as: UTF8.self)
        }
    }
}

extension ClientDraft {
    /// The body of `POST /clients` that says the same.
    fileprivate var wire: [UInt8] {
        var writer = JSONWriter()
        writer.raw(#"{"name":"#)
        writer.string(name)
        writer.raw(#","phone":"#)
        writer.string(phone.digits)
        for (key, value) in [("email", email), ("cpf", cpf?.punctuated), ("birthday", birthday?.iso)] {
            guard let value else { continue }
            writer.raw(UInt8(ascii: ","))
            writer.key(key)
            writer.string(value)
        }
        writer.raw("}")
        return writer.finish()
    }
}
