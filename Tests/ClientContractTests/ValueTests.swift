import ClientContract
import Testing

@Suite struct CPFs {
    @Test(arguments: [
        "12345678900", "123.456.789-00", "123 456 789 00", " 123.456.789-00 ", "123.456.789/00",
        "123.456.789\u{2013}00", "123\u{A0}456\u{A0}789\u{A0}00",
    ])
    func readsElevenDigits(_ text: String) {
        #expect(CPF(text)?.digits == "12345678900")
        #expect(CPF(text)?.punctuated == "123.456.789-00")
    }

    @Test(arguments: [
        "", "1", "1234567890", "123456789000", "12345678900x", "CPF 12345678900", "123.456.789-0O", "-",
        "12345678900\u{0}",
        "１２３４５６７８９００", "+12345678900", "123,456,789-00",
    ])
    func refusesTheRest(_ text: String) {
        #expect(CPF(text) == nil)
    }

    @Test func printsLeadingZeros() {
        #expect(CPF("00000000191")?.digits == "00000000191")
        #expect(CPF("00000000191")?.punctuated == "000.000.001-91")
        #expect(CPF("00000000191")?.number == 191)
    }

    @Test func restoresLostZerosOnlyWhenAsked() {
        func read(_ text: String, padding: Bool) -> String? {
            utf8(text).withUnsafeBufferPointer { CPF(utf8: $0, padding: padding)?.digits }
        }
        #expect(read("191", padding: true) == "00000000191")
        #expect(read("1234567890", padding: true) == "01234567890")
        #expect(read("191", padding: false) == nil)
        #expect(read("12", padding: true) == nil)
        #expect(read("000", padding: true) == nil)
        #expect(read("1234.5", padding: true) == nil)
        #expect(read("-191", padding: true) == nil)
        #expect(read("123456789012", padding: true) == nil)
    }

    @Test func checkDigitsByTheRule() throws {
        // The contract's own example fails them.
        #expect(try #require(CPF("12345678900")).hasValidCheckDigits == false)
        #expect(try #require(CPF("12345678909")).hasValidCheckDigits)
        #expect(try #require(CPF("52998224725")).hasValidCheckDigits)
        for digit in 0...9 {
            let cpf = try #require(CPF(String(repeating: String(digit), count: 11)))
            #expect(cpf.isPlaceholder)
            #expect(!cpf.hasValidCheckDigits)
        }
        #expect(try #require(CPF("12345678909")).isPlaceholder == false)
    }

    @Test func generatedOnesRoundTripAndOnlyOnePairOfCheckDigitsIsValid() throws {
        var random = Seeded(4)
        for _ in 0..<3000 {
            let base = random.digits(9)
            let checks = cpfChecks(base)
            let cpf = try #require(CPF(base + checks))
            #expect(cpf.digits == base + checks)
            #expect(CPF(cpf.punctuated) == cpf)
            #expect(cpf.punctuated.utf8.count == 14)
            #expect(cpf.hasValidCheckDigits == (Set(base).count > 1))
            let other = random.digits(2)
            if other != checks { #expect(CPF(base + other)?.hasValidCheckDigits == false) }
        }
    }
}

@Suite struct Birthdays {
    @Test(arguments: [
        "1985-03-15", "1990-01-01", "2000-02-29", "2024-02-29", "1999-12-31", "0001-01-01", "9999-12-31", "2400-02-29",
    ])
    func readsDaysThatExist(_ text: String) {
        #expect(Birthday(text)?.iso == text)
    }

    @Test(arguments: [
        "", "1985-3-15", "85-03-15", "15/03/1985", "1985/03/15", "1985-03-15T00:00:00Z", " 1985-03-15", "1985-03-15 ",
        "1900-02-29", "2023-02-29", "2100-02-29", "1985-02-30", "1985-04-31", "1985-06-31", "1985-09-31", "1985-11-31",
        "1985-00-10", "1985-13-10", "1985-01-00", "1985-01-32", "0000-01-01", "-985-03-15", "+985-03-15", "1985-03--5",
        "١٩٨٥-٠٣-١٥", "１９８５-03-15", "1985\u{2013}03\u{2013}15", "1985-03-1\u{0}", "99999-01-01",
    ])
    func refusesTheRest(_ text: String) {
        #expect(Birthday(text) == nil)
    }

    @Test func boundsOfTheParts() {
        for (year, month, day) in [
            (0, 1, 1), (10_000, 1, 1), (2000, 0, 1), (2000, 13, 1), (2000, 1, 0), (2000, 1, 32), (.max, 1, 1),
            (.min, 1, 1),
            (2000, .max, 1), (2000, 1, .max), (2000, 1, .min), (2023, 2, 29),
        ] {
            #expect(Birthday(year: year, month: month, day: day) == nil)
        }
    }

    @Test func fourHundredYearsOfDays() {
        // 146,097 days: the Gregorian cycle.
        var days = 0
        for year in 1901...2300 {
            for month in 1...12 {
                for day in 1...31 {
                    guard let birthday = Birthday(year: year, month: month, day: day) else { continue }
                    days += 1
                    if day % 9 == 0 { #expect(Birthday(birthday.iso) == birthday) }
                }
            }
        }
        #expect(days == 146_097)
    }
}

@Suite struct PersonTexts {
    @Test(arguments: [
        ("Ana Teste", "ana teste"), ("  Ana   Teste ", "Ana Teste"), ("Ana\u{A0}Teste", "Ana Teste"),
        ("Ana\tTeste\n", "Ana Teste"), ("João", "Joa\u{303}o"), ("JOÃO", "joa\u{303}o"), ("ÇELIK", "çelik"),
        ("Strauß", "STRAUSS"), ("İpek", "i\u{307}pek"), ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"), ("5511999999999", " 5511999999999"),
    ])
    func equalNames(_ a: String, _ b: String) {
        #expect(PersonText.nameKey(a) == PersonText.nameKey(b))
        #expect(PersonText.nameKey(a).hashValue == PersonText.nameKey(b).hashValue)
    }

    @Test(arguments: [
        ("João", "Joao"), ("Ana Teste", "AnaTeste"), ("Ana Teste", "Ana Testes"), ("Ana", ""),
        ("Ana-Teste", "Ana Teste"),
    ])
    func differentNames(_ a: String, _ b: String) {
        #expect(PersonText.nameKey(a) != PersonText.nameKey(b))
    }

    @Test func generatedNamesKeepTheirKeyInAnyCaseAndSpacing() {
        var random = Seeded(5)
        let parts = ["Ana", "João", "Conceição", "D'Ávila", "Müller", "Ñandú", "Teste", "da", "Exemplo", "Öz", "Łucja"]
        for _ in 0..<2000 {
            let words = (0..<Int.random(in: 1...5, using: &random)).map { _ in parts.randomElement(using: &random) ?? ""
            }
            let key = PersonText.nameKey(words.joined(separator: " "))
            #expect(PersonText.nameKey(words.map { $0.uppercased() }.joined(separator: " \u{A0}")) == key)
            #expect(PersonText.nameKey(" " + words.map { $0.lowercased() }.joined(separator: "  ") + "\n") == key)
            #expect(PersonText.nameKey(key) == key)
        }
    }

    /// Equality of names is an equivalence, and says nothing that the letters don't.
    @Test func equalityOfNamesIsLawful() {
        var random = Seeded(6)
        let letters = [
            "a", "A", "ã", "a\u{303}", "Ã", "b", " ", "\u{A0}", "\t", "ß", "ss", "SS", "i", "I", "İ", "ı", "é", "e",
        ]
        let names = (0..<160).map { _ in
            (0..<Int.random(in: 0...3, using: &random)).map { _ in letters.randomElement(using: &random) ?? "" }
                .joined()
        }
        func equal(_ a: String, _ b: String) -> Bool {
            SearchTerm.name(a).matches(Client(id: ClientID("1"), name: b))
        }
        var pairs = 0
        for a in names {
            #expect(equal(a, a))
            for b in names where equal(a, b) {
                pairs += a == b ? 0 : 1
                #expect(equal(b, a))
                #expect(PersonText.trimmed(a).isEmpty == PersonText.trimmed(b).isEmpty)
                for c in names where equal(b, c) { #expect(equal(a, c)) }
            }
        }
        #expect(pairs > 100)
    }

    @Test func emails() {
        #expect(PersonText.emailKey(" Ana.Teste@Example.TEST ") == PersonText.emailKey("ana.teste@example.test"))
        #expect(PersonText.emailKey("ana@example.test") != PersonText.emailKey("ana.@example.test"))
        #expect(PersonText.emailKey("straße@example.test") != PersonText.emailKey("strasse@example.test"))
        #expect(PersonText.emailKey("josé@example.test") == PersonText.emailKey("jose\u{301}@example.test"))
        for good in [
            "a@b", "ana.teste+clinica@example.test", "josé@example.test",
            "\(String(repeating: "a", count: 241))@example.test",
        ] {
            #expect(PersonText.isEmail(good))
        }
        for bad in [
            "", "@", "a@", "@b", "ana", "a@b@c", "a b@c", "a@b\u{A0}c", "a@b\n", "a\u{0}@b", "a\u{85}@b", "a\u{9F}@b",
            "a@b,c",
            "a@b;c", "Ana <ana@example.test>", "\(String(repeating: "a", count: 242))@example.test",
        ] {
            #expect(!PersonText.isEmail(bad))
        }
    }

    @Test func trimming() {
        #expect(PersonText.trimmed("\u{A0}\t Ana Teste \r\n") == "Ana Teste")
        #expect(PersonText.trimmed(" \n ") == "")
        #expect(PersonText.trimmed("") == "")
    }
}
