import Glibc
import JSONBytes
import Synchronization

/// Writes down what must not be found in anything that Ponte writes: the people and the credentials of each mock, and the
/// credentials that reach it. `Tests/Leaks` searches for them when the tests are over.
///
/// It writes where `PONTE_LEAKS` names a folder, as `scripts/test` and `scripts/leaks` do; otherwise nothing.
struct LeakLedger: Sendable {
    enum Kind: String {
        case name, phone, cpf, email, birthday, text, token
    }

    /// Nil unless asked for.
    static let shared = LeakLedger()

    /// Enough for every test; the mocks of benchmarks have more.
    private static let mostPeople = 3_000

    private let file: Int32
    private let known: KnownValues

    /// A class, so that copies of the ledger share it.
    private final class KnownValues: Sendable {
        let values = Mutex<Set<String>>([])
    }

    private init?() {
        guard let folder = getenv("PONTE_LEAKS").map({ String(cString: $0) }), !folder.isEmpty else { return nil }
        file = open("\(folder)/ledger/mock-\(getpid()).jsonl", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { return nil }
        known = KnownValues()
    }

    /// Of a mock that begins.
    func note(_ options: MockOptions) {
        for secret in [options.password, options.accessToken] + options.credentials.filter({ $0.key != "user" }).values
        {
            note(.token, secret)
        }
        let people = PersonGenerator(options)
        for row in 0..<min(options.rows, Self.mostPeople) {
            let person = people.person(row)
            note(.name, person.name)
            for phone in person.phones { note(.phone, phone.kind == .foreign ? phone.digits : "55" + phone.digits) }
            note(.cpf, person.cpf)
            note(.email, person.email)
            note(.birthday, person.birthday?.iso)
            note(.text, person.notes)
            note(.text, person.photo)
        }
    }

    func note(_ change: MockChange) {
        switch change {
        case .name(let name): note(.name, name)
        case .email(let email): note(.email, email)
        case .birthday(let day): note(.birthday, day)
        case .phone(let digits): note(.phone, digits)
        }
    }

    /// Of a request: what headers carry as credentials.
    func note(_ request: MockRequest) {
        for header in request.headers {
            let name = header.name.lowercased()
            let words = ["authorization", "cookie", "token", "key", "secret", "password", "session"]
            guard words.contains(where: { name.contains($0) }), name != "idempotency-key" else { continue }
            // Without the scheme, which is no secret.
            note(.token, header.value.split(separator: " ").last.map(String.init))
        }
    }

    private func note(_ kind: Kind, _ value: String?) {
        guard let value, !value.isEmpty else { return }
        guard known.values.withLock({ $0.insert("\(kind.rawValue) \(value)").inserted }) else { return }
        var json = JSONWriter(capacity: 64)
        json.raw(#"{"kind":"#)
        json.string(kind.rawValue)
        json.raw(#","value":"#)
        json.string(value)
        json.raw("}\n")
        // One call a line: lines of several threads do not mix.
        let line = json.finish()
        _ = write(file, line, line.count)
    }
}
