import StrictConfig

/// What a tenant's file takes away. It takes effect whatever else is wrong with that file or with another one: who
/// contains an incident must not have to mend everything first. What a file gives waits until all of it is sound.
struct Withdrawals: Sendable {
    /// The file says `"disabled": true`.
    let isDisabled: Bool
    /// The last day of each key that `inbound.keys` lists; nil where the file does not say.
    private let listed: [KeyDigest: CalendarDay?]?

    /// Of a file that says nothing.
    static let nothing = Withdrawals(isDisabled: false, listed: nil)

    private init(isDisabled: Bool, listed: [KeyDigest: CalendarDay?]?) {
        self.isDisabled = isDisabled
        self.listed = listed
    }

    /// Of a sound file.
    init(of plan: TenantPlan) {
        isDisabled = plan.isDisabled
        listed = Dictionary(plan.keys.map { ($0.digest, $0.expires) }) { first, _ in first }
    }

    /// Of a file with faults. What is no JSON object, or another tenant's, says nothing; nor does one without a list of keys
    /// say that there are none: its name may be misspelt. Of a list, a key that cannot be read there is not listed.
    /// - Parameter name: the file's.
    init(ofFaulty bytes: [UInt8], named name: String) {
        guard let root = ConfigReport(file: "").root(bytes)?.value, root.kind == .object,
            root["id"]?.string.map({ "\($0).json" == name }) ?? true
        else {
            self = .nothing
            return
        }
        isDisabled = root.members.contains { $0.key == "disabled" && $0.value.bool == true }
        guard let keys = root["inbound"]?["keys"], keys.kind == .array else {
            listed = nil
            return
        }
        var listed: [KeyDigest: CalendarDay?] = [:]
        for entry in keys.elements {
            guard let digest = entry["sha256"]?.string.flatMap(KeyDigest.init(hex:)) else { continue }
            listed.updateValue(entry["expires"]?.string.flatMap { CalendarDay($0) }, forKey: digest)
        }
        self.listed = listed
    }

    /// What is left of the keys of a tenant that goes on as it was: never more, and none for longer.
    func left(of keys: [InboundKey]) -> [InboundKey] {
        guard let listed else { return keys }
        return keys.compactMap { key in
            guard let lastDay = listed[key.digest] else { return nil }
            let days = [key.expires, lastDay].compactMap { $0 }
            return InboundKey(name: key.name, digest: key.digest, expires: days.min())
        }
    }
}
