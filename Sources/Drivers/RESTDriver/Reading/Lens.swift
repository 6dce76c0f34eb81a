import ClientContract
import JSONBytes

/// The members of a client that a profile maps: the contract's, and those that only a create carries or only reading
/// needs.
enum ProfileField: String, Sendable, CaseIterable {
    case id, name, description, phones, cpf, image, email, birthday
    /// Written by a create only.
    case healthInsurance, location
    /// Read only: whether the row counts at all.
    case active

    /// The contract's member that reading fills.
    var client: ClientField? {
        switch self {
        case .id: .id
        case .name: .name
        case .description: .description
        case .phones: .phone
        case .cpf: .cpf
        case .image: .image
        case .email: .email
        case .birthday: .birthday
        case .healthInsurance, .location, .active: nil
        }
    }
}

/// The records that a vendor shows and takes.
enum Shape: String, Sendable, CaseIterable {
    /// A row of a list or search.
    case row
    /// A full record.
    case detail
    /// What a create sends.
    case create
    /// What an update sends.
    case update
}

/// Where one value stands and how it is written there. It reads and writes; where one lens serves both, reading what
/// was written gives the value back, and writing what was read changes nothing.
struct Lens: Sendable {
    /// An element of an array, chosen by what it holds.
    struct Each: Sendable {
        let array: JSONPointer
        /// Members that the element must have, with their JSON.
        let conditions: [(pointer: JSONPointer, json: [UInt8])]
    }

    /// The place, seen from the record, or from the element that `each` chooses.
    enum Spot: Sendable {
        /// The first of several places that holds something; the first is written.
        case value([JSONPointer])
        /// A Brazilian number with its area code apart.
        case areaAndNumber(JSONPointer, JSONPointer, SubscriberSpelling)
        /// A name split at its first blank; what stands for the rest of a name of one word. A middle part is read, and
        /// written where the record has one.
        case firstAndRest(JSONPointer, JSONPointer, middle: JSONPointer?, blank: String)
        /// A name as FHIR has it: an array of given names, and the family name.
        case givenAndFamily(JSONPointer, JSONPointer)
    }

    enum Format: Sendable {
        case text
        /// Text in HTML; reading only.
        case html
        case phone(PhoneSpelling)
        case cpf(CPFSpelling)
        case date(DatePattern)
        /// An address; a relative one gets the prefix.
        case url(prefix: String)
        /// Bytes of an image in base64, shown as a `data:` URL of this type; longer ones are left out.
        case base64(mediaType: String, most: Int)
        /// Values with which a row counts, or with which it does not. Nothing on record counts.
        case flag([[UInt8]], counts: Bool)
    }

    var each: Each?
    var spot: Spot
    var format: Format
    /// JSON of values that mean "nothing", beside null and blank text.
    var absent: [[UInt8]] = []
    /// Further places that get the same value.
    var also: [JSONPointer] = []
    /// Constants written beside the value.
    var constants: [(pointer: JSONPointer, json: [UInt8])] = []
    /// Read where nothing is on record.
    var fallback: String?
    /// JSON that a create sends, by place, where the draft has nothing.
    var fillers: [(pointer: JSONPointer, json: [UInt8])] = []
    /// Written as a JSON number.
    var asNumber = false
    /// A value that cannot be read makes the whole answer malformed; else the member is left out.
    var strict = false
    /// Only numbers of this kind are written here.
    var onlyFor: PhoneNumber.Kind?
    /// How a foreign number is written.
    var foreign = ForeignSpelling.plus
    var readOnly = false
}

/// A field's lenses, by shape. Several lenses of one shape are alternatives in order; for phones, each is a place of
/// its own.
struct FieldLenses: Sendable {
    var shapes: [Shape: [Lens]] = [:]
    var needsDetail = false
    /// The same lenses serve the full record and the update, so that merging leaves the vendor's spelling alone.
    var updatesInPlace = false
}
