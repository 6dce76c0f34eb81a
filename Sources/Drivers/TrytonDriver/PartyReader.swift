import ClientContract
import JSONBytes
import UpstreamDriver

/// Reads parties as `search_read` answers them: sub-records of a field `x` stand under `x.`.
struct PartyReader: Sendable {
    let phones: PhoneContext

    /// What lists and searches ask for.
    static let row: [RPCValue] = [
        "name", "lastname", "dob", "contact_mechanisms.type", "contact_mechanisms.value", "identifiers.type",
        "identifiers.code",
    ]
    /// With the photo, which may have some 50 kB.
    static let full: [RPCValue] = row + ["photo"]
    /// With what an update needs.
    static let changeable: [RPCValue] = row + ["person_names.use", "person_names.family", "_timestamp"]

    private enum Key {
        static let id = Array("id".utf8)
        static let name = Array("name".utf8)
        static let lastname = Array("lastname".utf8)
        static let dob = Array("dob".utf8)
        static let photo = Array("photo".utf8)
        static let mechanisms = Array("contact_mechanisms.".utf8)
        static let identifiers = Array("identifiers.".utf8)
        static let type = Array("type".utf8)
        static let value = Array("value".utf8)
        static let code = Array("code".utf8)
        static let base64 = Array("base64".utf8)
        static let year = Array("year".utf8)
        static let month = Array("month".utf8)
        static let day = Array("day".utf8)
    }

    /// The clients of a list of rows, in its order.
    func clients(_ result: JSONValue) throws(UpstreamError) -> [Client] {
        let clients: [Client]? = result.document.withView { view in
            var builder = ClientBuilder(capacity: result.document.bytes.count)
            let end = view.next(result.index)
            var row = result.index + 1
            while row < end {
                guard read(view, row, into: &builder) else { return nil }
                row = view.next(row)
            }
            return builder.finish()
        }
        guard let clients else { throw .malformed("a row is not a party with an id") }
        return clients
    }

    /// - Returns: false when the row is no party.
    private func read(_ view: JSONView, _ row: Int, into builder: inout ClientBuilder) -> Bool {
        guard let id = view.member(Key.id, of: row), view.kind(id) == .number else { return false }
        builder.begin()
        builder.set(.id, view, id)
        let name = PersonNames.joined(
            given: text(view, Key.name, of: row) ?? "", family: text(view, Key.lastname, of: row) ?? "")
        if !name.isEmpty { builder.set(.name, name) }
        readMechanisms(view, row, into: &builder)
        if let cpf = firstCPF(view, row) { builder.set(cpf: cpf) }
        if let image = image(view, row) { builder.set(.image, image) }
        if let birthday = birthday(view, row) { builder.set(birthday: birthday) }
        return builder.end()
    }

    private func text(_ view: JSONView, _ key: [UInt8], of object: Int) -> String? {
        guard let index = view.member(key, of: object), view.kind(index) == .string else { return nil }
        return String(decoding: view.decoded(index), as: UTF8.self)
    }

    /// In the order that the clinic gave them.
    private func readMechanisms(_ view: JSONView, _ row: Int, into builder: inout ClientBuilder) {
        // Gathered first: a closure cannot hold the builder.
        var numbers: [PhoneNumber] = []
        var email: String?
        PartyReader.each(view, Key.mechanisms, of: row) { mechanism in
            guard let type = text(view, Key.type, of: mechanism), let value = text(view, Key.value, of: mechanism)
            else { return }
            if Domains.phoneTypes.contains(type) {
                numbers += PhoneNumber.all(in: value, context: phones)
            } else if email == nil, type == Domains.emailType {
                let trimmed = PersonText.trimmed(value)
                if PersonText.isEmail(trimmed) { email = trimmed }
            }
        }
        for number in numbers { builder.add(phone: number) }
        if let email { builder.set(.email, email) }
    }

    private func firstCPF(_ view: JSONView, _ row: Int) -> CPF? {
        var cpf: CPF?
        PartyReader.each(view, Key.identifiers, of: row) { identifier in
            guard cpf == nil, text(view, Key.type, of: identifier) == Domains.cpfType else { return }
            cpf = text(view, Key.code, of: identifier).flatMap { CPF($0) }
        }
        return cpf
    }

    /// `{"__class__":"date","year":1990,"month":1,"day":31}`
    private func birthday(_ view: JSONView, _ row: Int) -> Birthday? {
        guard let date = view.member(Key.dob, of: row) else { return nil }
        func number(_ key: [UInt8]) -> Int? {
            view.member(key, of: date).flatMap { Int(String(decoding: view.decoded($0), as: UTF8.self)) }
        }
        guard let year = number(Key.year), let month = number(Key.month), let day = number(Key.day) else { return nil }
        return Birthday(year: year, month: month, day: day)
    }

    /// The photo as a `data:` URL; nil where it is of a kind that no browser shows.
    ///
    /// `{"__class__":"bytes","base64":"…"}`, in lines of 76 characters. GNU Health reduces photos to 200 by 200.
    private func image(_ view: JSONView, _ row: Int) -> String? {
        guard let photo = view.member(Key.photo, of: row), let data = text(view, Key.base64, of: photo) else {
            return nil
        }
        // What the first bytes of these formats are in base64.
        let kinds = [("iVBORw0KGgo", "png"), ("/9j/", "jpeg"), ("R0lGOD", "gif"), ("UklGR", "webp")]
        guard let kind = kinds.first(where: { data.hasPrefix($0.0) })?.1 else { return nil }
        return "data:image/\(kind);base64," + data.filter { !$0.isNewline }
    }

    private static func each(_ view: JSONView, _ key: [UInt8], of row: Int, _ body: (Int) -> Void) {
        guard let array = view.member(key, of: row), view.kind(array) == .array else { return }
        let end = view.next(array)
        var element = array + 1
        while element < end {
            body(element)
            element = view.next(element)
        }
    }
}
