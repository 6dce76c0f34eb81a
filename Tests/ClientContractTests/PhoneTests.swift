import ClientContract
import Testing

@Suite struct PhoneReading {
    @Test(arguments: [
        // The contract's own spelling.
        "5511999999999": "5511999999999", "+5511999999999": "5511999999999", "+55 (11) 99999-9999": "5511999999999",
        "005511999999999": "5511999999999", "00 55 11 99999 9999": "5511999999999",
        // Without the country; with a trunk 0, a carrier code, any carrier code.
        "11999999999": "5511999999999", "(11) 99999-9999": "5511999999999", "11.99999.9999": "5511999999999",
        "011999999999": "5511999999999", "(011) 99999-9999": "5511999999999", "01511999999999": "5511999999999",
        "0 21 11 3333-4444": "551133334444", "0xx11 3333-4444": "551133334444", "(0XX11) 3333-4444": "551133334444",
        "05511999999999": "5511999999999", "11/99999-9999": "5511999999999",
        // A needless 0 after the country code.
        "+55 (0)11 99999-9999": "5511999999999", "55 011 3333-4444": "551133334444",
        "55011999999999": "5511999999999",
        // A + before an area code, zeros that fill up a field: there is no such country.
        "+11 99999-9999": "5511999999999", "00011999999999": "5511999999999", "0011999999999": "5511999999999",
        // Landlines, and mobiles of before the ninth digit.
        "1133334444": "551133334444", "(31) 8888-7777": "553188887777", "553188887777": "553188887777",
        // Area code 55.
        "55999998888": "5555999998888", "5532221111": "555532221111", "555532221111": "555532221111",
        "5555999998888": "5555999998888", "+55 55 99999-8888": "5555999998888",
        // Numbers without an area code.
        "0800 123 4567": "558001234567", "0800-1234567": "558001234567", "+55 800 123 4567": "558001234567",
        "+55 0800 123 4567": "558001234567", "0300 123 4567": "553001234567", "800 123 4567": "558001234567",
        // Foreign ones stay as they are.
        "+1 415 555 2671": "14155552671", "14155552671": "14155552671", "001 415 555 2671": "14155552671",
        "+351 912 345 678": "351912345678", "351912345678": "351912345678", "5491123456789": "5491123456789",
        "+51 987 654 321": "51987654321", "+598 94 123 456": "59894123456", "59894123456": "59894123456",
        "+7 912 345-67-89": "79123456789", "+290 12345": "29012345", "(+351) 912 345 678": "351912345678",
        "1 (415) 555-2671": "14155552671",
        "5926123456": "5926123456",
        // A trunk 0 after another country's code, but where numbers begin with 0.
        "+44 (0)20 7946 0958": "442079460958", "0044 020 7946 0958": "442079460958",
        "4402079460958": "442079460958",
        "+39 06 6982 0000": "390669820000", "+225 01 23 45 67 89": "2250123456789",
        // Digits alone are Brazilian when they can be: this could be Peru.
        "51987654321": "5551987654321",
        // Extensions, blanks and marks that copying brings along.
        "11 3333-4444 ramal 12": "551133334444", "11 3333-4444 x12": "551133334444",
        "11 3333-4444 #12": "551133334444", "(11) 99999-9999 (Ana)": "5511999999999",
        "\u{202A}+55\u{00A0}11\u{00A0}99999\u{2011}9999\u{202C}": "5511999999999",
        "11\u{2009}99999\u{2013}9999": "5511999999999", "\u{FEFF}11 99999\u{2212}9999": "5511999999999",
        " \t11 99999-9999\r\n": "5511999999999",
    ])
    func reads(_ text: String, _ expected: String) {
        #expect(digits(text) == expected)
    }

    @Test(arguments: [
        "", " ", "-", "+", "0", "0000-0000", "(00) 00000-0000", "00000000000", "000000000000000000000000000000",
        "sem telefone", "tel 11 99999-9999", "123", "99999-9999", "3333-4444", "4004-1234", "190",
        // Shapes of national numbers that cannot be.
        "11 0000-0000", "(11) 1111-1111", "(11) 11111-1111", "(21) 11111-1111", "21 1111-1111", "11 89999-9999",
        "10 99999-9999", "(20) 3333-4444",
        // 55 with a wrong rest; no area code.
        "5511199999999", "551103334444", "+55 99999-9999", "+55 3333-4444", "5520999999999", "55119999999999999",
        // No such country, wrong length.
        "+999 123456789", "+1 123 456 7890", "+1 415 555 267", "+351", "+2101234567", "3841234567890",
        // More than E.164 has.
        "1234567890123456", "+1000000000000000", "999999999999999999999999", "18446744073709551616",
        // Two numbers, or none.
        "11999999999,11988888888", "11 99999-9999 / 11 98888-8888", "11999999999\n11988888888", "++5511999999999",
        "55+11999999999", "0+5511999999999", "5511999999999\u{0}", "5511999999999\u{1}", "55119999\u{0}99999",
        "5511999９９9999", "١١٩٩٩٩٩٩٩٩٩", "33334444/5555", "0351912345678", "11 3333-4444 (Ana) 21 3333-4444",
        "11 99999-9999 ou 98888-7777",
        // A trunk 0 that leaves nothing, too little, or another 0.
        "+44 00 20 7946", "+290 0", "2300519021",
    ])
    func refuses(_ text: String) {
        #expect(digits(text) == nil)
    }

    @Test func anAreaCodeCompletesLocalNumbers() {
        #expect(digits("99999-9999", area: 21) == "5521999999999")
        #expect(digits("3333-4444", area: 21) == "552133334444")
        #expect(digits("0 3333-4444", area: 21) == "552133334444")
        #expect(digits("11 3333-4444", area: 21) == "551133334444")
        #expect(digits("59999-9999", area: 21) == nil)
        #expect(digits("1333-4444", area: 21) == nil)
        // The same in every area, so it has none.
        for text in ["4004-1234", "3003-1234", "4020-1234", "43701234", "4864.1234", "+55 4004 1234", "5540041234"] {
            #expect(digits(text, area: 21) != "5521" + text.filter(\.isNumber))
            #expect(digits(text) == (text == "5540041234" ? "555540041234" : nil), "\(text)")
        }
        #expect(digits("4021-1234", area: 21) == "552140211234")
        for area in [Int.min, -1, 0, 10, 20, 100, .max] { #expect(digits("99999-9999", area: area) == nil) }
    }

    @Test func everyAreaCodeInUseAndNoOther() {
        for area in 10...99 {
            let inUse = areaCodes.contains(area)
            #expect(digits("55\(area)987654321") == (inUse ? "55\(area)987654321" : nil))
            #expect((digits("0\(area)987654321") != nil) == inUse)
        }
        #expect(areaCodes.count == 67)
    }

    @Test func everySpellingOfAGeneratedNumberIsTheSameLine() throws {
        var random = Seeded(1)
        for _ in 0..<3000 {
            let area = areaCodes.randomElement(using: &random) ?? 11
            let mobile = Bool.random(using: &random)
            let head =
                mobile ? "9" + random.digits(4) : String(Int.random(in: 2...5, using: &random)) + random.digits(3)
            let tail = random.digits(4)
            let expected = "55\(area)\(head)\(tail)"
            let number = try #require(PhoneNumber(expected))
            #expect(number.digits == expected)
            #expect(number.isBrazilian)
            #expect(number.areaCode == String(area))
            #expect(number.subscriber == head + tail)
            #expect(number.national == "\(area)\(head)\(tail)")
            #expect(number.masked == "(\(area)) \(head)-\(tail)")
            #expect(number.kind == (mobile ? .mobile : .landline))
            let carrier = Int.random(in: 12...98, using: &random)
            for spelling in [
                "+\(expected)", "00\(expected)", "0\(expected)", "+55 \(area) \(head)-\(tail)", "\(area)\(head)\(tail)",
                "(\(area)) \(head)-\(tail)", "0\(area) \(head) \(tail)", "0\(carrier)\(area)\(head)\(tail)",
                "0xx\(area) \(head)-\(tail)", "55 0\(area) \(head).\(tail)", "\(area) \(head)-\(tail) ramal 7",
            ] {
                #expect(digits(spelling) == expected, "\(spelling)")
            }
            #expect(digits("\(head)\(tail)", area: area) == (["300", "400"].contains(head.prefix(3)) ? nil : expected))
        }
    }

    @Test func randomTextNeverTrapsAndWhatIsReadReadsAgain() {
        var random = Seeded(2)
        let alphabet: [Character] = Array("00112345555555678999+()-./ x,;\u{A0}aé\n")
        var read = 0
        for _ in 0..<20_000 {
            let length = Int.random(in: 0...22, using: &random)
            let text = String((0..<length).map { _ in alphabet.randomElement(using: &random) ?? "0" })
            let area = Int.random(in: 0...99, using: &random)
            for number in PhoneNumber.all(in: text, context: PhoneContext(areaCode: area)) {
                read += 1
                #expect(number.digits.utf8.count <= 15)
                #expect(PhoneNumber("+" + number.digits) == number, "\(text)")
                #expect(PhoneNumber("+" + number.digits)?.digits == number.digits, "\(text)")
            }
        }
        #expect(read > 500)
    }
}

/// Digits without + that are a Brazilian number and a mobile of another country.
@Suite struct PhoneDirection {
    static let both: [(text: String, country: String)] = [
        ("51987654321", "Peru"), ("66912345678", "Thailand"), ("84912345678", "Vietnam"), ("79991234567", "Russia"),
        ("4791234567", "Norway"), ("6581234567", "Singapore"), ("4520123456", "Denmark"), ("5351234567", "Cuba"),
        ("6421234567", "New Zealand"), ("38970123456", "North Macedonia"),
    ]

    private func draft(_ phone: String) throws -> String {
        try ClientDraft(body: utf8(#"{"name":"Ana Teste","phone":"\#(phone)"}"#)).phone.digits
    }

    private func readings(_ text: String) -> [String] {
        SearchTerm.readings(of: text, as: .phone).map { term in
            if case .phone(let phone) = term { phone.digits } else { "" }
        }
    }

    @Test(arguments: both) func areForeignInACreateBothInASearchAndBrazilianOnRecord(
        _ text: String, _ country: String
    ) throws {
        #expect(try draft(text) == text)
        #expect(readings(text) == [text, "55" + text])
        #expect(SearchTerm(text, as: .phone) == SearchTerm("+" + text, as: .phone))
        #expect(digits(text) == "55" + text)
        #expect(PhoneNumber.all(in: "\(text); \(text)").map(\.digits) == ["55" + text])
    }

    @Test func whatMarksTheCountryOrTheAreaCodeDecides() throws {
        for (text, expected) in [
            ("5551987654321", "5551987654321"), ("+5551987654321", "5551987654321"), ("+51987654321", "51987654321"),
            ("0051987654321", "51987654321"), ("(51) 98765-4321", "5551987654321"), ("51/98765-4321", "5551987654321"),
            ("051987654321", "5551987654321"), ("51 98765-4321", "51987654321"),
        ] {
            #expect(try draft(text) == expected, "\(text)")
            #expect(readings(text).first == expected, "\(text)")
            #expect(readings(text).count == (text == "51 98765-4321" ? 2 : 1), "\(text)")
        }
    }

    /// Most Brazilian numbers are nobody else's, written as they may be.
    @Test func theRestIsBrazilianEverywhere() throws {
        for text in ["11999999999", "21987654321", "31988887777", "1133334444", "4833334444", "8199998888"] {
            #expect(try draft(text) == "55" + text)
            #expect(readings(text) == ["55" + text])
        }
    }

    @Test func otherKindsHaveOneReading() {
        #expect(SearchTerm.readings(of: "51987654321", as: .cpf).count == 1)
        #expect(SearchTerm.readings(of: "Ana Teste", as: .name) == [.name("Ana Teste")])
        #expect(SearchTerm.readings(of: "ana@example.test", as: .email) == [.email("ana@example.test")])
        #expect(SearchTerm.readings(of: "Ana Teste", as: .phone).isEmpty)
    }

    @Test func theAreaCodeCompletesInEveryDirection() {
        for source in [PhoneContext.Source.record, .caller] {
            let context = PhoneContext(areaCode: 51).from(source)
            #expect(PhoneNumber("98765-4321", context: context)?.digits == "5551987654321")
        }
    }
}

@Suite struct PhoneEquality {
    @Test func theNinthDigitMakesNoDifference() throws {
        let with = try #require(PhoneNumber("5531988887777"))
        let without = try #require(PhoneNumber("553188887777"))
        #expect(with == without)
        #expect(with.hashValue == without.hashValue)
        #expect(with.digits != without.digits)
        #expect(with.ninthDigitTwin?.digits == without.digits)
        #expect(without.ninthDigitTwin?.digits == with.digits)
        #expect(without.kind == .mobile)
        // Nothing before the ninth digit began with 2 to 5 and was a mobile.
        #expect(PhoneNumber("5511933334444")?.ninthDigitTwin == nil)
        #expect(PhoneNumber("5511933334444") != PhoneNumber("551133334444"))
        #expect(PhoneNumber("551133334444")?.ninthDigitTwin == nil)
        #expect(PhoneNumber("+14155552671")?.ninthDigitTwin == nil)
        #expect(PhoneNumber("08001234567")?.ninthDigitTwin == nil)
        // A foreign number of as many digits has no ninth digit.
        #expect(PhoneNumber("+351912345678") != PhoneNumber("+3519912345678"))
    }

    @Test func equalityIsLawful() {
        var random = Seeded(3)
        var numbers: [PhoneNumber] = []
        for _ in 0..<60 {
            let area = areaCodes.randomElement(using: &random) ?? 11
            let eight = String(Int.random(in: 2...9, using: &random)) + random.digits(7)
            for text in ["55\(area)\(eight)", "55\(area)9\(eight)", "+1415\(eight.prefix(1))\(random.digits(6))"] {
                if let number = PhoneNumber(text) { numbers.append(number) }
            }
        }
        #expect(numbers.count > 120)
        for a in numbers {
            #expect(a == a)
            if let twin = a.ninthDigitTwin {
                #expect(twin == a)
                #expect(twin.ninthDigitTwin?.digits == a.digits)
            }
            for b in numbers {
                #expect((a == b) == (b == a))
                if a == b { #expect(a.hashValue == b.hashValue) }
                // Equal means: the same digits, or the other spelling of the ninth digit, and nothing else.
                #expect((a == b) == (a.digits == b.digits || a.ninthDigitTwin?.digits == b.digits))
            }
        }
        // Transitive: classes by equality are classes by hash table.
        let classes = Set(numbers)
        for number in numbers { #expect(classes.filter { $0 == number }.count == 1) }
    }

    @Test func serviceNumbersHaveNoAreaCode() throws {
        let number = try #require(PhoneNumber("0800 123 4567"))
        #expect(number.isBrazilian)
        #expect(number.areaCode == nil)
        #expect(number.subscriber == nil)
        #expect(number.kind == .other)
        #expect(number.national == "8001234567")
        #expect(number.masked == "0800 123 4567")
    }

    @Test func foreignNumbersHaveNoNationalForm() throws {
        let number = try #require(PhoneNumber("+351 912 345 678"))
        #expect(!number.isBrazilian)
        #expect(number.kind == .other)
        #expect(number.national == nil && number.areaCode == nil && number.subscriber == nil && number.masked == nil)
    }
}

@Suite struct SeveralPhones {
    @Test(arguments: [
        ("11 99999-9999 / 3333-4444", ["5511999999999", "551133334444"]),
        ("11 99999-9999/3333-4444", ["5511999999999", "551133334444"]),
        ("11/99999-9999", ["5511999999999"]),
        ("(11) 99999-9999; (21) 98888-7777", ["5511999999999", "5521988887777"]),
        ("11999999999,11999999999", ["5511999999999"]),
        ("31 8888-7777 | 31 98888-7777", ["553188887777"]),
        ("(11) 99999-9999 (11) 3333-4444", ["5511999999999", "551133334444"]),
        ("11 99999-9999 11 98888-7777", ["5511999999999", "5511988887777"]),
        ("11 99999-9999 - 21 3333-4444", ["5511999999999", "552133334444"]),
        ("+55 11 99999-9999 +351 912 345 678", ["5511999999999", "351912345678"]),
        ("Tel: (11) 3333-4444 Cel: (11) 99999-9999", ["551133334444", "5511999999999"]),
        ("11 99999-9999 ou 98888-7777", ["5511999999999", "5511988887777"]),
        ("11 3333-4444 ramal 12", ["551133334444"]),
        ("11 3333-4444 (Ana Teste) 21 3333-4444 (Bruno)", ["551133334444", "552133334444"]),
        ("0xx11 3333-4444 / 0xx21 3333-5555", ["551133334444", "552133335555"]),
        ("11 3333-4444/45", ["551133334444"]),
        ("11 3333-4444\n11 3333-5555", ["551133334444", "551133335555"]),
        ("11 99999-9999 - 3333-4444 - 98888-7777", ["5511999999999", "551133334444", "5511988887777"]),
        ("11 99999-9999  3333-4444", ["5511999999999", "551133334444"]),
        ("11 99999-9999 55 31 3333 4444", ["5511999999999", "553133334444"]),
        ("11 99999-9999 / 4004-1234", ["5511999999999"]),
        ("11 3333-4444 r.12 / 99999-9999", ["551133334444", "5511999999999"]),
        ("11 3333-4444 ramal 21 / 3333-5555", ["551133334444", "551133335555"]),
        ("(11) 3333-4444 ramal 12 - 98888-7777", ["551133334444", "5511988887777"]),
        ("11 3333-4444 sala 31 98888-7777", ["551133334444", "5511988887777"]),
        ("11 3333-4444 r 12 / 11 98765-4321", ["551133334444", "5511987654321"]),
        ("11 3333-4444 extensão 21, 98888-7777", ["551133334444", "5511988887777"]),
        ("11 3333-4444 #21 / 98888-7777", ["551133334444", "5511988887777"]),
        ("C 11 98888-7777 R 21 3333-4444", ["5511988887777", "552133334444"]),
        ("casa 31 3333-4444 cel 31 98888-7777", ["553133334444", "5531988887777"]),
        ("recado 2 / 11 99999-9999", ["5511999999999"]),
        ("11 99999-9999 / 2 / 19 3333-4444", ["5511999999999", "551933334444"]),
        ("(1) 11 99999-9999", ["5511999999999"]),
        ("11 99999-9999 (2) 11 98888-8888", ["5511999999999", "5511988888888"]),
        ("1. 11999999999 2. 1133334444", ["5511999999999", "551133334444"]),
        ("+55 015 11 99999-9999", ["5511999999999"]), ("55 015 11 3333-4444", ["551133334444"]),
        ("3333-4444/5555", []), ("não tem", []), ("", []), ("/;,|", []), ("0000-0000 / 0000-0000", []),
    ])
    func takesAFieldApart(_ text: String, _ expected: [String]) {
        #expect(PhoneNumber.all(in: text).map(\.digits) == expected)
    }

    @Test func theContextCompletesTheFirstAndTheFirstTheSecond() {
        let context = PhoneContext(areaCode: 48)
        #expect(
            PhoneNumber.all(in: "3333-4444 / 11 3333-5555 / 99999-9999", context: context).map(\.digits)
                == ["554833334444", "551133335555", "5511999999999"])
        #expect(PhoneNumber.all(in: "11/99999-9999", context: context).map(\.digits) == ["5511999999999"])
    }

    @Test func eachGivesRepeatedOnesToo() {
        var found: [String] = []
        let bytes = utf8("11999999999,11999999999")
        bytes.withUnsafeBufferPointer { bytes in PhoneNumber.each(utf8: bytes) { found.append($0.digits) } }
        #expect(found == ["5511999999999", "5511999999999"])
    }

    @Test func longFieldsAreReadToTheEnd() {
        let text = String(repeating: "11 3333-4444; ", count: 20_000) + "21 99999-9999"
        #expect(PhoneNumber.all(in: text).map(\.digits) == ["551133334444", "5521999999999"])
        #expect(PhoneNumber.all(in: String(repeating: "1 ", count: 100_000)).isEmpty)
        let sparse = String(repeating: "1 ", count: 14) + String(repeating: " - ", count: 200_000)
        #expect(PhoneNumber.all(in: sparse + "11 3333-4444").map(\.digits) == ["551133334444"])
    }
}
