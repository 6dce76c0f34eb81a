public import JSONBytes

/// The members of the contract's Client object, in the order of its table.
public enum ClientField: Int, Sendable, CaseIterable {
    case id, name, description, phone, allPhones, cpf, image, email, birthday

    /// The member's name on the wire.
    public var wireName: String {
        switch self {
        case .id: "id"
        case .name: "name"
        case .description: "description"
        case .phone: "phone"
        case .allPhones: "allPhones"
        case .cpf: "cpf"
        case .image: "image"
        case .email: "email"
        case .birthday: "birthday"
        }
    }
}

/// The identifier that the clinic's system gave a client: opaque text, unchanged from the first byte to the last.
/// Prints masked.
public struct ClientID: Sendable, Hashable {
    public let text: String
    public init(_ text: String) { self.text = text }
}

/// A patient as the contract shows one (`spec/client.pt-BR.txt`, "Objeto").
///
/// It is a slice of contract JSON with the places of its members, so that a list is written out as it was read. A
/// member is decoded only when asked for. Many clients share one array of bytes. Prints masked.
public struct Client: Sendable {
    let bytes: [UInt8]
    let start: UInt32
    let end: UInt32
    /// Start and end of each member's value, without quotes; both 0 when absent.
    let places: InlineArray<9, UInt64>

    func place(_ field: ClientField) -> Range<Int>? {
        let place = places[field.rawValue]
        return place == 0 ? nil : Int(place >> 32)..<Int(place & 0xFFFF_FFFF)
    }

    public func has(_ field: ClientField) -> Bool { places[field.rawValue] != 0 }

    /// The decoded text of a member; nil when absent, and for `allPhones`.
    public func text(_ field: ClientField) -> String? {
        guard field != .allPhones, let place = place(field) else { return nil }
        let slice = bytes[place]
        guard slice.contains(UInt8(ascii: "\\")) else { return String(decoding: slice, as: UTF8.self) }
        // The slice stands between quotes.
        return (try? JSONDocument(Array(bytes[(place.lowerBound - 1)..<(place.upperBound + 1)])))?.root.string
    }

    public var id: ClientID { ClientID(text(.id) ?? "") }
    public var name: String { text(.name) ?? "" }
    public var email: String? { text(.email) }
    /// Nil when absent, and when the text on record is no CPF.
    public var cpf: CPF? { read(.cpf) { CPF(utf8: $0) } }
    /// Nil when absent, and when the text on record is no day.
    public var birthday: Birthday? { read(.birthday) { Birthday(utf8: $0) } }
    /// The main number.
    public var phone: PhoneNumber? { read(.phone) { PhoneNumber(wire: $0) } }

    private func read<Value>(_ field: ClientField, _ body: (UnsafeBufferPointer<UInt8>) -> Value?) -> Value? {
        guard let place = place(field) else { return nil }
        return bytes.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[place])) }
    }

    /// Every number on record, once each, the main one included.
    public var allPhones: [PhoneNumber] {
        var phones: [PhoneNumber] = []
        _ = anyPhone { number in
            if !phones.contains(number) { phones.append(number) }
            return false
        }
        return phones
    }

    /// Whether any number on record reaches this line.
    public func reaches(_ number: PhoneNumber) -> Bool { anyPhone { $0 == number } }

    /// Whether `body` is true of the main number or of one of the others.
    private func anyPhone(_ body: (PhoneNumber) -> Bool) -> Bool {
        if let phone, body(phone) { return true }
        return read(.allPhones) { list in
            // "5511999999999","551133334444"
            for part in list.split(separator: UInt8(ascii: ",")) where part.count > 2 {
                let digits = UnsafeBufferPointer(rebasing: part.dropFirst().dropLast())
                if let number = PhoneNumber(wire: digits), body(number) { return true }
            }
            return nil
        } ?? false
    }

    /// Writes the object as the contract prints it.
    public func write(to writer: inout JSONWriter) { writer.raw(bytes[Int(start)..<Int(end)]) }

    /// The object's bytes.
    public var wire: [UInt8] { Array(bytes[Int(start)..<Int(end)]) }
}

extension PhoneNumber {
    /// Reads what `digits` wrote.
    init?(wire bytes: UnsafeBufferPointer<UInt8>) {
        var value: UInt64 = 0
        guard 1...15 ~= bytes.count else { return nil }
        for byte in bytes {
            guard byte &- 0x30 < 10 else { return nil }
            value = value * 10 + UInt64(byte &- 0x30)
        }
        self.init(e164: value)
    }
}
