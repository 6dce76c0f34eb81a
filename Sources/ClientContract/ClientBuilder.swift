public import JSONBytes

/// Writes clients, one after the other, into one array of contract JSON.
///
/// For each: `begin`, any members, `end`. Members that are never set are left out of the object; one that is set twice
/// keeps its first value. A driver uses one builder per answer.
public struct ClientBuilder: ~Copyable {
    private var writer: JSONWriter
    private var clients: [Unplaced] = []
    private var start = 0
    private var places = InlineArray<9, UInt64>(repeating: 0)
    private var phones: [PhoneNumber] = []

    private struct Unplaced {
        let start: UInt32
        let end: UInt32
        let places: InlineArray<9, UInt64>
    }

    /// - Parameter capacity: bytes expected; it grows when they are more.
    public init(capacity: Int = 512) { writer = JSONWriter(capacity: capacity) }

    /// Starts a client.
    public mutating func begin() {
        start = writer.count
        places = InlineArray(repeating: 0)
        phones.removeAll(keepingCapacity: true)
        writer.raw(UInt8(ascii: "{"))
    }

    /// Writes a member's name. Where its value begins, or nil when it has one.
    @inline(__always)
    private mutating func open(_ field: ClientField) -> Int? {
        guard places[field.rawValue] == 0 else { return nil }
        let first = writer.count - start == 1
        switch field {
        case .id: writer.raw(first ? "\"id\":\"" : ",\"id\":\"")
        case .name: writer.raw(first ? "\"name\":\"" : ",\"name\":\"")
        case .description: writer.raw(first ? "\"description\":\"" : ",\"description\":\"")
        case .phone: writer.raw(first ? "\"phone\":\"" : ",\"phone\":\"")
        case .allPhones: writer.raw(first ? "\"allPhones\":[" : ",\"allPhones\":[")
        case .cpf: writer.raw(first ? "\"cpf\":\"" : ",\"cpf\":\"")
        case .image: writer.raw(first ? "\"image\":\"" : ",\"image\":\"")
        case .email: writer.raw(first ? "\"email\":\"" : ",\"email\":\"")
        case .birthday: writer.raw(first ? "\"birthday\":\"" : ",\"birthday\":\"")
        }
        return writer.count
    }

    @inline(__always)
    private mutating func close(_ field: ClientField, from opened: Int) {
        places[field.rawValue] = UInt64(opened) << 32 | UInt64(writer.count)
        writer.raw(field == .allPhones ? UInt8(ascii: "]") : UInt8(ascii: "\""))
    }

    /// Sets a member from valid UTF-8 text. A phone is read and added, as by `add(phone:)`.
    public mutating func set(_ field: ClientField, utf8 text: UnsafeBufferPointer<UInt8>) {
        if field == .phone || field == .allPhones {
            if let phone = PhoneNumber(utf8: text) { add(phone: phone) }
            return
        }
        guard let opened = open(field) else { return }
        writer.escaped(text)
        close(field, from: opened)
    }

    /// Sets a member from a text.
    public mutating func set(_ field: ClientField, _ text: String) {
        var text = text
        text.withUTF8 { set(field, utf8: $0) }
    }

    /// Sets a member from a string or number of a document, without decoding it. Other kinds set nothing.
    public mutating func set(_ field: ClientField, _ view: JSONView, _ index: Int) {
        let kind = view.kind(index)
        guard kind == .string || kind == .number else { return }
        if field == .phone || field == .allPhones {
            view.decoded(index).withUnsafeBufferPointer { set(field, utf8: $0) }
            return
        }
        guard let opened = open(field) else { return }
        writer.escaped(view, index)
        close(field, from: opened)
    }

    /// Sets the CPF, punctuated as the contract prints it.
    public mutating func set(cpf: CPF) {
        guard let opened = open(.cpf) else { return }
        // 123.456.789-00, from the end.
        var text: InlineArray<14, UInt8> = InlineArray(repeating: UInt8(ascii: "."))
        var rest = cpf.number
        var place = 14
        while place > 0 {
            place -= 1
            if place == 3 || place == 7 { continue }
            if place == 11 {
                text[place] = UInt8(ascii: "-")
            } else {
                text[place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
        }
        text.span.withUnsafeBufferPointer { writer.raw($0) }
        close(.cpf, from: opened)
    }

    /// Sets the birthday, as `YYYY-MM-DD`.
    public mutating func set(birthday: Birthday) {
        guard let opened = open(.birthday) else { return }
        var text: InlineArray<10, UInt8> = InlineArray(repeating: UInt8(ascii: "-"))
        func write(_ value: Int, endingAt end: Int, width: Int) {
            var rest = UInt(bitPattern: value)
            for place in 1...width {
                text[end - place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
        }
        write(birthday.year, endingAt: 4, width: 4)
        write(birthday.month, endingAt: 7, width: 2)
        write(birthday.day, endingAt: 10, width: 2)
        text.span.withUnsafeBufferPointer { writer.raw($0) }
        close(.birthday, from: opened)
    }

    /// Adds a number on record. The first becomes `phone`; all of them become `allPhones`, each line once, in the
    /// spelling in which it came first.
    public mutating func add(phone: PhoneNumber) {
        if !phones.contains(phone) { phones.append(phone) }
    }

    /// A number as text, with the quote after it.
    private struct Quoted {
        var text: InlineArray<16, UInt8>
        var start = 15

        @inline(__always)
        init(_ number: PhoneNumber) {
            text = InlineArray(repeating: UInt8(ascii: "\""))
            var rest = number.e164
            while rest > 0, start > 0 {
                start -= 1
                text[start] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
        }

        @inline(__always)
        func write(to writer: inout JSONWriter) {
            text.span.withUnsafeBufferPointer { writer.raw(UnsafeBufferPointer(rebasing: $0[start...])) }
        }
    }

    fileprivate mutating func writePhones() {
        guard let number = phones.first, let opened = open(.phone) else { return }
        let first = Quoted(number)
        first.write(to: &writer)
        places[ClientField.phone.rawValue] = UInt64(opened) << 32 | UInt64(writer.count - 1)
        guard let all = open(.allPhones) else { return }
        writer.raw("\"")
        first.write(to: &writer)
        for number in phones.dropFirst() {
            writer.raw(",\"")
            Quoted(number).write(to: &writer)
        }
        close(.allPhones, from: all)
    }

    /// Ends a client. The numbers are written here.
    /// - Returns: false, and the client is dropped, when it has no id or an empty one.
    public mutating func end() -> Bool {
        let id = places[ClientField.id.rawValue]
        guard id >> 32 != id & 0xFFFF_FFFF else {
            writer.truncate(to: start)
            return false
        }
        seal()
        return true
    }

    private mutating func seal() {
        if let opened = open(.name) { close(.name, from: opened) }
        writePhones()
        writer.raw(UInt8(ascii: "}"))
        // No answer is near 4 GiB: `JSONLimits` sees to it.
        clients.append(
            Unplaced(
                start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: writer.count), places: places)
        )
    }

    /// The clients that were ended, in order.
    public consuming func finish() -> [Client] {
        let unplaced = clients
        let bytes = writer.finish()
        return unplaced.map { Client(bytes: bytes, start: $0.start, end: $0.end, places: $0.places) }
    }

    /// One client, with or without an id.
    fileprivate static func one(_ members: (inout ClientBuilder) -> Void) -> Client {
        var builder = ClientBuilder()
        builder.begin()
        members(&builder)
        builder.seal()
        let start = UInt32(truncatingIfNeeded: builder.start)
        let places = builder.places
        let bytes = builder.writer.finish()
        return Client(bytes: bytes, start: start, end: UInt32(truncatingIfNeeded: bytes.count), places: places)
    }

    /// Copies a member as it stands in another client.
    fileprivate mutating func copy(_ field: ClientField, of client: Client) {
        guard let place = client.place(field), let opened = open(field) else { return }
        writer.raw(client.bytes[place])
        close(field, from: opened)
    }
}

extension Client {
    /// A client from values.
    public init(
        id: ClientID, name: String, description: String? = nil, phones: [PhoneNumber] = [], cpf: CPF? = nil,
        image: String? = nil, email: String? = nil, birthday: Birthday? = nil
    ) {
        self = ClientBuilder.one { builder in
            builder.set(.id, id.text)
            builder.set(.name, name)
            if let description { builder.set(.description, description) }
            for phone in phones { builder.add(phone: phone) }
            builder.writePhones()
            if let cpf { builder.set(cpf: cpf) }
            if let image { builder.set(.image, image) }
            if let email { builder.set(.email, email) }
            if let birthday { builder.set(birthday: birthday) }
        }
    }

    /// This client after a patch, as far as the patch tells: for answering a write that the clinic's system has
    /// accepted but does not show yet. What the patch does not name stays byte for byte.
    public func applying(_ patch: ClientPatch) -> Client {
        ClientBuilder.one { builder in
            for field in ClientField.allCases {
                switch field {
                case .name: if let name = patch.name { builder.set(.name, name) }
                case .cpf: if let cpf = patch.cpf { builder.set(cpf: cpf) }
                case .email: if let email = patch.email { builder.set(.email, email) }
                case .birthday: if let birthday = patch.birthday { builder.set(birthday: birthday) }
                default: break
                }
                // A member that the patch set is not set again.
                builder.copy(field, of: self)
            }
        }
    }
}
