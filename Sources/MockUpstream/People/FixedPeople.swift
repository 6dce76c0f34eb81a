/// The patients that every mock has first, whatever its seed. `docs/mock.md` lists them for people.
enum FixedPeople {
    static let all: [Person] = [
        // 0: the contract's own example. Its CPF fails the check digits on purpose.
        Person(
            name: "João Silva", phones: [mobile("11999999999"), mobile("21999999999")], cpf: "12345678900",
            email: "joao@example.com", birthday: CivilDate(year: 1990, month: 1, day: 1), notes: "Cliente regular",
            photo: "https://example.com/photo.jpg"),
        // 1–4: a family of four on one phone.
        Person(
            name: "Maria Exemplo da Família", phones: [mobile("31988887777")], cpf: CPF.withCheckDigits(200_000_001),
            email: "maria.familia@example.test", birthday: CivilDate(year: 1984, month: 5, day: 20)),
        Person(
            name: "José Exemplo da Família", phones: [mobile("31988887777"), landline("3133330001")],
            cpf: CPF.withCheckDigits(200_000_002), email: nil, birthday: CivilDate(year: 1982, month: 2, day: 28)),
        Person(
            name: "Lia Exemplo da Família", phones: [mobile("31988887777")], cpf: nil, email: nil,
            birthday: CivilDate(year: 2015, month: 9, day: 3)),
        Person(
            name: "Téo Exemplo da Família", phones: [mobile("31988887777")], cpf: CPF.withCheckDigits(200_000_004),
            birthday: CivilDate(year: 2018, month: 12, day: 31)),
        // 5–6: twins; all the same but name and CPF.
        Person(
            name: "Cosme Exemplo Gêmeo", phones: [mobile("71988880006")], cpf: CPF.withCheckDigits(200_000_005),
            email: "gemeos@example.test", birthday: CivilDate(year: 2000, month: 2, day: 29)),
        Person(
            name: "Damião Exemplo Gêmeo", phones: [mobile("71988880006")], cpf: CPF.withCheckDigits(200_000_006),
            email: "gemeos@example.test", birthday: CivilDate(year: 2000, month: 2, day: 29)),
        // 7: a mobile on record without its ninth digit.
        Person(
            name: "Ana Teste", phones: [mobile("3188880002")], cpf: CPF.withCheckDigits(200_000_007),
            email: "ana@example.test", birthday: CivilDate(year: 1990, month: 3, day: 7)),
        // 8: three phones.
        Person(
            name: "Bruno Exemplo", phones: [mobile("11988880009"), mobile("85988880009"), landline("1133330009")],
            cpf: CPF.withCheckDigits(200_000_008), email: "Bruno.Exemplo@example.test",
            birthday: CivilDate(year: 1975, month: 10, day: 15)),
        // 9: an apostrophe, and nothing but a phone.
        Person(name: "Joaquim d'Ávila Teste", phones: [mobile("41988880010")]),
        // 10–11: numbers of other countries. The second has eleven digits and is no Brazilian phone.
        Person(
            name: "Inês Teste Lisboa", phones: [foreign("351912345678")], email: "ines@example.test",
            birthday: CivilDate(year: 1969, month: 7, day: 20)),
        Person(name: "Peter Teste Sample", phones: [foreign("12025550123")], email: "peter@example.test"),
        // 12–13: two people of one name.
        Person(
            name: "Conceição Exemplo", phones: [mobile("51988880013")], cpf: CPF.withCheckDigits(200_000_012),
            birthday: CivilDate(year: 1958, month: 12, day: 8)),
        Person(
            name: "Conceição Exemplo", phones: [landline("5133330014")], cpf: CPF.withCheckDigits(200_000_013),
            birthday: CivilDate(year: 1991, month: 4, day: 1)),
        // 14–15: the phone of one is the CPF of the other.
        Person(name: "Davi Teste Onze", phones: [mobile(CPF.withCheckDigits(119_876_543))]),
        Person(
            name: "Eva Teste Onze", phones: [mobile("61988880016")], cpf: CPF.withCheckDigits(119_876_543),
            birthday: CivilDate(year: 1999, month: 9, day: 9)),
        // 16: registered from a conversation in which no name was said.
        Person(name: "5511977776666", phones: [mobile("11977776666")]),
        // 17: no phone at all.
        Person(
            name: "Célia Teste Sem Telefone", cpf: CPF.withCheckDigits(200_000_017), email: "celia@example.test",
            birthday: CivilDate(year: 1947, month: 1, day: 30)),
    ]

    private static func mobile(_ digits: String) -> Phone { Phone(kind: .mobile, digits: digits) }
    private static func landline(_ digits: String) -> Phone { Phone(kind: .landline, digits: digits) }
    private static func foreign(_ digits: String) -> Phone { Phone(kind: .foreign, digits: digits) }
}
