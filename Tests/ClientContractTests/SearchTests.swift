import ClientContract
import Testing

@Suite struct SearchTerms {
    private let ana: Client

    init() throws {
        ana = Client(
            id: ClientID("1"), name: "Ana  Teste",
            phones: [
                try #require(PhoneNumber("5531988887777")), try #require(PhoneNumber("551133334444")),
            ], cpf: CPF("12345678909"), email: "Ana@Example.test")
    }

    private func kinds(_ text: String) -> [TermKind] {
        TermKind.allCases.filter { kind in
            let term = SearchTerm(text, as: kind)
            if let term { #expect(term.kind == kind) }
            return term != nil
        }
    }

    @Test(arguments: [
        ("5511999999999", [TermKind.phone, .name]), ("+55 (11) 99999-9999", [.phone, .name]),
        ("11987654321", [.phone, .cpf, .name]), ("12345678909", [.phone, .cpf, .name]),
        ("123.456.789-09", [.cpf, .name]), ("99999999999", [.phone, .cpf, .name]),
        ("ana@example.test", [.email]), ("Ana Teste", [.name]), ("  Ana Teste  ", [.name]), ("A", [.name]),
        ("00000000000", [.cpf, .name]), ("0000-0000", [.name]), ("11 99999-9999 ramal 3", [.name]),
        ("11999999999é", [.name]), ("Ana 5511999999999", [.name]), ("ana@", []), ("a@b@c", []),
        ("", []), (" \n\t", []), ("\u{A0}", []), ("Ana\u{0}", []), ("5511999999999\u{0}", []), ("Ana\nTeste", []),
        ("5511999999999\r\nX: y", []), ("Ana\u{1B}[2J", []),
    ])
    func isReadAsEachKindThatItCanBe(_ text: String, _ expected: [TermKind]) {
        #expect(kinds(text) == expected)
    }

    @Test func tenKilobytesAreNoTerm() {
        #expect(kinds(String(repeating: "a", count: 10_240)) == [])
        #expect(kinds(String(repeating: "1", count: 10_240)) == [])
        #expect(kinds(String(repeating: "a", count: SearchTerm.longest)) == [.name])
        #expect(kinds(String(repeating: "a", count: SearchTerm.longest + 1)) == [])
    }

    @Test(arguments: [
        (TermKind.phone, "5531988887777"), (.phone, "553188887777"), (.phone, "(31) 8888-7777"),
        (.phone, "031 98888-7777"),
        (.phone, "1133334444"), (.phone, "+55 11 3333-4444"), (.cpf, "12345678909"), (.cpf, "123.456.789-09"),
        (.email, "ana@example.test"), (.email, " ANA@EXAMPLE.TEST "), (.name, "ana teste"),
        (.name, " ANA\u{A0} TESTE "),
    ])
    func matchesInAnySpelling(_ kind: TermKind, _ text: String) throws {
        let term = try #require(SearchTerm(text, as: kind))
        #expect(term.matches(ana))
        // Nobody without these members matches.
        #expect(!term.matches(Client(id: ClientID("2"), name: "")))
    }

    @Test(arguments: [
        (TermKind.phone, "5531988887778"), (.phone, "5511988887777"), (.phone, "5511933334444"), (.cpf, "12345678900"),
        (.email, "na@example.test"), (.email, "ana@example.tes"), (.name, "Ana"), (.name, "Ana Testes"),
        (.name, "AnaTeste"),
    ])
    func nothingLessThanTheWholeMatches(_ kind: TermKind, _ text: String) throws {
        #expect(!(try #require(SearchTerm(text, as: kind)).matches(ana)))
    }

    @Test func thePhoneUsedAsAName() throws {
        let nameless = Client(
            id: ClientID("3"), name: "5511999999999", phones: [try #require(PhoneNumber("5511999999999"))])
        #expect(try #require(SearchTerm("5511999999999", as: .name)).matches(nameless))
        #expect(try #require(SearchTerm("5511999999999", as: .phone)).matches(nameless))
        #expect(try #require(SearchTerm("11999999999", as: .name)).matches(nameless) == false)
    }

    @Test func theContextReachesThePhone() throws {
        let context = PhoneContext(areaCode: 31)
        #expect(SearchTerm("98888-7777", as: .phone) == nil)
        #expect(try #require(SearchTerm("98888-7777", as: .phone, context: context)).matches(ana))
    }

    @Test func fieldsAndKindsAgree() {
        #expect(SearchTerm("5511999999999", as: .phone)?.field == .phone)
        #expect(SearchTerm("12345678909", as: .cpf)?.field == .cpf)
        #expect(SearchTerm("a@b", as: .email)?.field == .email)
        #expect(SearchTerm("Ana", as: .name)?.field == .name)
    }
}
