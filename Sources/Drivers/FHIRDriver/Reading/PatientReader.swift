import ClientContract
import JSONBytes

/// Reads Patient resources (FHIR R4, Patient) out of an answer's bytes.
///
/// Entries that no longer hold (`use` old, a `period` that ended) are passed over. Of several, `rank` decides for phones
/// and e-mails, then `use`; for names `use`; for CPFs the order of the systems.
struct PatientReader: Sendable {
    /// A resource that is no Patient to be shown.
    struct Fault: Error {
        let message: String
    }

    let cpf: FHIRPlan.CPFs
    let phones: PhoneContext
    /// Today in UTC, `YYYY-MM-DD`: what ended before no longer holds.
    let today: String
    /// Longest inline photo that is shown, in Base64 characters.
    static let longestPhoto = 1 << 20

    /// Where a patient's members stand, by token; -1 for none.
    struct Places {
        var id = -1
        var name = -1
        var telecom = -1
        var identifier = -1
        var birthDate = -1
        var photo = -1
        var version = -1
        var isPassedOver = false
    }

    /// Reads one resource into the builder.
    /// - Returns: false when it does not count: inactive, or replaced by another record.
    func read(_ view: JSONView, _ resource: Int, into builder: inout ClientBuilder) throws(Fault) -> Bool {
        let places = try places(view, resource)
        if places.isPassedOver { return false }
        builder.begin()
        if places.id >= 0, view.kind(places.id) == .string { builder.set(.id, view, places.id) }
        readName(view, places.name, &builder)
        let points = contactPoints(view, places.telecom)
        for point in points where point.kind != .email {
            for number in numbers(view, point.value) { builder.add(phone: number) }
        }
        if let email = points.first(where: { $0.kind == .email && FHIRText.isEmail(view, $0.value) }) {
            FHIRText.set(.email, view, email.value, &builder)
        }
        if let identifier = identifier(view, places.identifier), let cpf = FHIRText.cpf(view, identifier.value) {
            builder.set(cpf: cpf)
        }
        // A year or a month alone is no day of birth.
        if places.birthDate >= 0, view.kind(places.birthDate) == .string,
            let birthday = Birthday(utf8: view.slice(places.birthDate))
        {
            builder.set(birthday: birthday)
        }
        readPhoto(view, places.photo, &builder)
        guard builder.end() else { throw Fault(message: "a Patient has no id") }
        return true
    }

    /// Finds a patient's members in one walk.
    func places(_ view: JSONView, _ resource: Int) throws(Fault) -> Places {
        guard view.kind(resource) == .object else { throw Fault(message: "a resource is not an object") }
        var places = Places()
        var isPatient = false
        let end = view.next(resource)
        var key = resource + 1
        while key < end {
            let value = key + 1
            switch FHIRText.name(view, key) {
            case "resourceType": isPatient = FHIRText.equals(view, value, "Patient")
            case "id": places.id = value
            case "name": places.name = value
            case "telecom": places.telecom = value
            case "identifier": places.identifier = value
            case "birthDate": places.birthDate = value
            case "photo": places.photo = value
            case "active": if view.kind(value) == .false { places.isPassedOver = true }
            case "link": if isReplaced(view, value) { places.isPassedOver = true }
            case "meta": places.version = FHIRText.member(view, value, "versionId") ?? -1
            default: break
            }
            key = view.next(value)
        }
        guard isPatient else { throw Fault(message: "a resource is not a Patient") }
        return places
    }

    /// Whether another record took this one's place (`link.type` replaced-by).
    private func isReplaced(_ view: JSONView, _ links: Int) -> Bool {
        FHIRText.elements(view, links).contains { link in
            FHIRText.member(view, link, "type").map { FHIRText.equals(view, $0, "replaced-by") } ?? false
        }
    }

    /// Whether an entry's `period` ended before today. A year or a month alone ends with its last day.
    private func hasEnded(_ view: JSONView, _ entry: Int) -> Bool {
        guard let period = FHIRText.member(view, entry, "period"),
            let end = FHIRText.member(view, period, "end"), view.kind(end) == .string
        else { return false }
        let day = FHIRText.string(view, end).prefix(10)
        return !day.isEmpty && day < today.prefix(day.count)
    }

    private func use(_ view: JSONView, _ entry: Int) -> String {
        FHIRText.member(view, entry, "use").map { FHIRText.string(view, $0) } ?? ""
    }

    // MARK: Names

    /// The name to show: official, then usual, then one without a use, then any other; nil where there is none.
    func chosenName(_ view: JSONView, _ names: Int) -> (position: Int, entry: Int)? {
        var best: (place: Int, position: Int, entry: Int)?
        for (position, entry) in FHIRText.elements(view, names).enumerated() where view.kind(entry) == .object {
            let use = use(view, entry)
            guard use != "old", !hasEnded(view, entry), holdsName(view, entry) else { continue }
            let place = ["official", "usual", "", "temp", "nickname", "maiden", "anonymous"].firstIndex(of: use) ?? 3
            if best.map({ place < $0.place }) ?? true { best = (place, position, entry) }
        }
        return best.map { ($0.position, $0.entry) }
    }

    private func holdsName(_ view: JSONView, _ entry: Int) -> Bool {
        if let text = FHIRText.member(view, entry, "text"), FHIRText.isFilled(view, text) { return true }
        return !parts(view, entry).isEmpty
    }

    private func readName(_ view: JSONView, _ names: Int, _ builder: inout ClientBuilder) {
        guard let (_, entry) = chosenName(view, names) else { return }
        if let text = FHIRText.member(view, entry, "text"), FHIRText.isFilled(view, text) {
            FHIRText.set(.name, view, text, &builder)
        } else {
            builder.set(.name, parts(view, entry).joined(separator: " "))
        }
    }

    /// Given names, then the family's.
    private func parts(_ view: JSONView, _ entry: Int) -> [String] {
        var parts: [String] = []
        if let given = FHIRText.member(view, entry, "given") {
            parts += FHIRText.elements(view, given).map { FHIRText.string(view, $0) }
        }
        if let family = FHIRText.member(view, entry, "family") { parts.append(FHIRText.string(view, family)) }
        return parts.map(PersonText.trimmed).filter { !$0.isEmpty }
    }

    // MARK: Contact points

    struct ContactPoint {
        enum Kind { case phone, email }
        let kind: Kind
        /// In the array.
        let position: Int
        /// The value's token.
        let value: Int
        let order: (Int, Int, Int)
    }

    /// Phones and e-mails that hold, the preferred ones first.
    func contactPoints(_ view: JSONView, _ telecom: Int) -> [ContactPoint] {
        var points: [ContactPoint] = []
        for (position, entry) in FHIRText.elements(view, telecom).enumerated() {
            guard let value = FHIRText.member(view, entry, "value"), FHIRText.isFilled(view, value) else { continue }
            let use = use(view, entry)
            guard use != "old", !hasEnded(view, entry) else { continue }
            let kind: ContactPoint.Kind
            switch FHIRText.member(view, entry, "system").map({ FHIRText.string(view, $0) }) {
            case "phone", "sms": kind = .phone
            case "email": kind = .email
            // Against the standard (cpt-2), some servers leave the system out.
            case nil: kind = FHIRText.isEmail(view, value) ? .email : .phone
            default: continue
            }
            let rank = FHIRText.member(view, entry, "rank").flatMap { Int(FHIRText.string(view, $0)) } ?? .max
            let place = ["mobile", "home", "work", "", "temp"].firstIndex(of: use) ?? 3
            points.append(
                ContactPoint(kind: kind, position: position, value: value, order: (rank, place, position)))
        }
        return points.sorted { $0.order < $1.order }
    }

    private func numbers(_ view: JSONView, _ value: Int) -> [PhoneNumber] {
        if view.kind(value) == .string, !view.isEscaped(value) {
            // Nearly always there is one, and it stands alone.
            var found: [PhoneNumber] = []
            let slice = view.slice(value)
            // RFC 3966
            let text = slice.starts(with: "tel:".utf8) ? UnsafeBufferPointer(rebasing: slice[4...]) : slice
            PhoneNumber.each(utf8: text, context: phones) { found.append($0) }
            return found
        }
        return PhoneNumber.all(in: FHIRText.string(view, value), context: phones)
    }

    // MARK: CPF

    /// The identifier that holds the CPF: the first of the preferred system that holds one.
    func identifier(_ view: JSONView, _ identifiers: Int) -> (position: Int, entry: Int, value: Int)? {
        var best: (place: Int, position: Int, entry: Int, value: Int)?
        for (position, entry) in FHIRText.elements(view, identifiers).enumerated() {
            guard let value = FHIRText.member(view, entry, "value"), FHIRText.cpf(view, value) != nil,
                let place = preference(view, entry), best.map({ place < $0.place }) ?? true,
                use(view, entry) != "old", !hasEnded(view, entry)
            else { continue }
            best = (place, position, entry, value)
        }
        return best.map { ($0.position, $0.entry, $0.value) }
    }

    /// The place of an identifier's system in the list, those that only their type makes a CPF last; nil for others.
    private func preference(_ view: JSONView, _ entry: Int) -> Int? {
        if let system = FHIRText.member(view, entry, "system"), FHIRText.isFilled(view, system) {
            if let place = cpf.read.firstIndex(where: { FHIRText.equals(view, system, $0) }) { return place }
        }
        guard !cpf.types.isEmpty, let type = FHIRText.member(view, entry, "type") else { return nil }
        var names = [FHIRText.member(view, type, "text")]
        if let coding = FHIRText.member(view, type, "coding") {
            names += FHIRText.elements(view, coding).map { FHIRText.member(view, $0, "code") }
        }
        let isCPF = names.contains { name in
            name.map { token in cpf.types.contains { FHIRText.equals(view, token, $0) } } ?? false
        }
        return isCPF ? cpf.read.count : nil
    }

    // MARK: Photo

    /// The first photo with an address of its own, or with its bytes in it.
    private func readPhoto(_ view: JSONView, _ photos: Int, _ builder: inout ClientBuilder) {
        for photo in FHIRText.elements(view, photos) {
            if let url = FHIRText.member(view, photo, "url"), view.kind(url) == .string {
                let slice = view.slice(url)
                if slice.starts(with: "https://".utf8) || slice.starts(with: "http://".utf8) {
                    builder.set(.image, view, url)
                    return
                }
            }
            if let data = FHIRText.member(view, photo, "data"), view.kind(data) == .string {
                let slice = view.slice(data)
                guard !slice.isEmpty, slice.count <= PatientReader.longestPhoto else { continue }
                let type = FHIRText.member(view, photo, "contentType").map { FHIRText.string(view, $0) } ?? "image/jpeg"
                guard type.hasPrefix("image/"), !type.contains(where: { $0 == ";" || $0 == "," || $0.isWhitespace })
                else { continue }
                let text = FHIRText.string(view, data).filter { !$0.isWhitespace }
                builder.set(.image, "data:\(type);base64,\(text)")
                return
            }
        }
    }
}
