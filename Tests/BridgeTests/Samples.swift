import Bridge
import ClientContract
import TestSupport
import Testing
import UpstreamDriver

typealias Seeded = TestSupport.Seeded

/// A patient of the model clinic.
struct Person: Sendable {
    var id: String
    var name = "Ana Teste"
    var phones: [PhoneNumber] = []
    var cpf: CPF?
    var email: String?
    var birthday: Birthday?

    /// The record, without the members that a shape lacks.
    func client(lacking: Set<ClientField> = []) -> Client {
        var phones = lacking.contains(.phone) ? [] : phones
        if lacking.contains(.allPhones) { phones = Array(phones.prefix(1)) }
        return Client(
            id: ClientID(id), name: lacking.contains(.name) ? "" : name, phones: phones,
            cpf: lacking.contains(.cpf) ? nil : cpf, email: lacking.contains(.email) ? nil : email,
            birthday: lacking.contains(.birthday) ? nil : birthday)
    }
}

func phone(_ text: String) throws -> PhoneNumber { try #require(PhoneNumber(text)) }

/// A CPF with valid check digits, by the rule as Receita Federal words it.
func cpf(_ base: Int) throws -> CPF {
    var digits = String(String(1_000_000_000 + base).suffix(9)).compactMap(\.wholeNumberValue)
    for _ in 0..<2 {
        let top = digits.count + 1
        let rest = digits.enumerated().reduce(0) { $0 + $1.element * (top - $1.offset) } % 11
        digits.append(rest < 2 ? 0 : 11 - rest)
    }
    return try #require(CPF(digits.map(String.init).joined()))
}

func soon(_ seconds: Int = 30) -> CallContext {
    CallContext(deadline: .now + .seconds(seconds), requestID: "test")
}

extension Bridge {
    /// A whole list.
    func all(_ window: Window, _ context: CallContext = soon()) async throws -> [String] {
        var pages = list(window, context)
        var ids: [String] = []
        while let page = try await pages.next() {
            #expect(!page.isEmpty)
            ids += page.map(\.id.text)
        }
        return ids
    }

    func ids(_ term: String, _ window: Window = Window()) async throws -> [String] {
        try await search(term, window, soon()).map(\.id.text)
    }
}

/// The error that a call ends with.
func failure<Value>(of call: () async throws -> Value) async -> ContractError? {
    do {
        _ = try await call()
        return nil
    } catch {
        return error as? ContractError
    }
}
