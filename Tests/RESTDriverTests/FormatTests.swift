import ClientContract
import DriverSupport
import JSONBytes
import Testing

@testable import RESTDriver

@Suite struct FormatTests {
    private func read(_ pattern: String, _ text: String, today: String = "2026-11-24") throws -> String? {
        let pattern = try #require(DatePattern(pattern))
        let today = try #require(Birthday(today))
        return Array(text.utf8).withUnsafeBufferPointer { pattern.read($0, today: today)?.iso }
    }

    @Test(arguments: [
        ("yyyy-MM-dd", "1990-03-07", "1990-03-07"), ("dd-MM-yyyy", "07-03-1990", "1990-03-07"),
        ("dd/MM/yyyy", "07/03/1990", "1990-03-07"), ("MM/dd/yyyy", "03/07/1990", "1990-03-07"),
        ("yyyyMMdd", "19900307", "1990-03-07"), ("dd.MM.yy", "07.03.90", "1990-03-07"),
        ("yyyy-MM-dd*", "1936-12-04T00:00:00.000+0000", "1936-12-04"),
        // The written day, whatever the zone makes of it.
        ("yyyy-MM-dd*", "1990-01-01T02:00:00Z", "1990-01-01"),
        ("yyyy-MM-dd*", "1990-01-01T23:00:00-03:00", "1990-01-01"),
        ("yyyy-MM-dd*", "1990-12-31T23:59:59+14:00", "1990-12-31"), ("dd/MM/yyyy*", "07/03/1990 00:00", "1990-03-07"),
        ("yyyy-MM-ddT00:00:00", "1936-12-04T00:00:00", "1936-12-04"), ("yyyy-MM-dd", "2000-02-29", "2000-02-29"),
    ]) func datesAreRead(_ pattern: String, _ text: String, _ day: String) throws {
        #expect(try read(pattern, text) == day)
    }

    @Test(arguments: [
        ("yyyy-MM-dd", "1990-03-7"), ("yyyy-MM-dd", "1990-13-01"), ("yyyy-MM-dd", "2001-02-29"),
        ("yyyy-MM-dd", "0000-00-00"),
        ("yyyy-MM-dd", "1990-03-07T00:00"), ("yyyy-MM-dd", ""), ("dd/MM/yyyy", "07-03-1990"),
        ("dd/MM/yyyy", "1990/03/07"),
        ("yyyy-MM-dd*", "1936"), ("dd/MM/yy*", "01/01/1990"), ("dd/MM/yyyy*", "01/01/19901"),
        ("yyyy-MM-dd*", "1990-01-0115"), ("yyyy-MM-dd", "+990-03-07"), ("dd/MM/yyyy", "7/3/1990"),
        ("dd/MM/yy", "31/04/90"),
        ("dd/MM/yy", "29/02/27"),
    ]) func otherTextsAreNoDates(_ pattern: String, _ text: String) throws { #expect(try read(pattern, text) == nil) }

    /// The latest such day that is not in the future.
    @Test(arguments: [
        ("07.03.90", "2026-11-24", "1990-03-07"), ("24.11.26", "2026-11-24", "2026-11-24"),
        ("25.11.26", "2026-11-24", "1926-11-25"), ("01.01.27", "2026-11-24", "1927-01-01"),
        ("01.01.00", "2026-11-24", "2000-01-01"), ("01.01.00", "1999-12-31", "1900-01-01"),
        ("31.12.99", "2100-01-01", "2099-12-31"), ("29.02.00", "2026-11-24", "2000-02-29"),
        ("29.02.00", "2100-03-01", "2000-02-29"), ("29.02.28", "2026-11-24", "1928-02-29"),
        ("29.02.28", "2028-02-28", "1928-02-29"), ("29.02.28", "2028-02-29", "2028-02-29"),
    ]) func aYearOfTwoDigitsIsNeverInTheFuture(_ text: String, _ today: String, _ day: String) throws {
        #expect(try read("dd.MM.yy", text, today: today) == day)
    }

    @Test func todayIsToday() throws {
        let pattern = try #require(DatePattern("yyMMdd"))
        let before = try #require(DatePattern.today())
        let text = try #require(pattern.write(before))
        #expect(Array(text.utf8).withUnsafeBufferPointer { pattern.read($0) } == before)
        #expect((2024...2200).contains(before.year))
        #expect(pattern.write(try #require(Birthday(year: before.year + 1, month: 1, day: 1))) == nil)
    }

    @Test(arguments: [
        "", "yyyy", "yyyy-MM", "yyyy-MM-dd-dd", "YYYY-MM-DD", "yyyy-mm-dd", "yyyy yy MM dd", "dd/MMM/yyyy",
    ])
    func otherPatternsAreNone(_ pattern: String) { #expect(DatePattern(pattern) == nil) }

    /// Written and read again, a day is the same day; where it cannot be, it is not written.
    @Test func datesRoundTrip() throws {
        var random = Seeded(7)
        let today = try #require(Birthday("2026-11-24"))
        for name in [
            "yyyy-MM-dd", "dd-MM-yyyy", "dd/MM/yyyy", "yyyyMMdd", "yy/MM/dd", "yyyy-MM-ddT00:00:00", "yyyy-MM-dd*",
        ] {
            let pattern = try #require(DatePattern(name))
            for _ in 0..<500 {
                let day = try #require(
                    Birthday(
                        year: .random(in: 1900...2030, using: &random), month: .random(in: 1...12, using: &random),
                        day: .random(in: 1...28, using: &random)))
                guard let text = pattern.write(day, today: today) else {
                    #expect(name.hasPrefix("yy/") && !("1926-11-25"..."2026-11-24").contains(day.iso))
                    continue
                }
                #expect(!name.hasPrefix("yy/") || ("1926-11-25"..."2026-11-24").contains(day.iso))
                #expect(Array(text.utf8).withUnsafeBufferPointer { pattern.read($0, today: today) } == day)
            }
        }
    }

    /// A field with several numbers, however they are parted, and one whose number another country has as well.
    @Test(arguments: [
        ("11 99999-9999 ou 98888-7777", ["5511999999999", "5511988887777"]),
        ("(11) 3333-4444 (Ana) 21 3333-4444", ["551133334444", "552133334444"]),
        ("11 99999-9999 / 3333-4444", ["5511999999999", "551133334444"]), ("11 3333-4444 ramal 12", ["551133334444"]),
        ("51987654321", ["5551987654321"]), ("+51 987 654 321", ["51987654321"]), ("4004-1234", []),
    ]) func recordsHoldPhonesInAnySpelling(_ text: String, _ phones: [String]) async throws {
        let http = Script(#"{"id":"1","name":"Ana Teste","phone":"\#(text)"}"#)
        let client = try await Sample.driver(http).client(ClientID("1"), Sample.context)
        #expect(client.allPhones.map(\.digits) == phones)
        #expect(client.phone?.digits == phones.first)
    }

    /// Composed or decomposed, a name goes through as it is, both ways.
    @Test(arguments: ["Joa\u{303}o  Teste", "João Teste", "JOSÉ", "Ana\u{A0}Teste", "5511999999999"])
    func namesKeepTheirBytes(_ name: String) async throws {
        let body = #"{"name":"\#(name)","phone":"5531988880001"}"#
        let http = Script(#"{"id":"1"}"#)
        _ = try await Sample.driver(http).create(ClientDraft(body: Array(body.utf8)), Sample.context)
        let sent = try JSONDocument(Array(try #require(http.last?.text).utf8)).root
        #expect(Array(try #require(sent["name"]?.string).utf8) == Array(name.utf8))
        let echo = Script(#"{"id":"1","name":"\#(name)"}"#)
        let read = try await Sample.driver(echo).client(ClientID("1"), Sample.context)
        #expect(Array(read.name.utf8) == Array(name.utf8))
        #expect(SearchTerm.name(name.uppercased()).matches(read))
    }

    @Test(arguments: [
        ("5531988880001", "5531988880001", "+5531988880001", "31988880001", "(31) 98888-0001"),
        ("551133330009", "551133330009", "+551133330009", "1133330009", "(11) 3333-0009"),
        ("351912345678", "351912345678", "+351912345678", "+351912345678", "+351912345678"),
    ]) func phonesHaveSpellings(
        _ number: String, _ international: String, _ e164: String, _ national: String, _ masked: String
    ) throws {
        let phone = try #require(PhoneNumber("+" + number))
        #expect(PhoneSpelling.allCases.map { $0.write(phone) } == [international, e164, national, masked])
        for spelling in PhoneSpelling.allCases where spelling != .international || phone.isBrazilian {
            #expect(PhoneNumber(spelling.write(phone))?.digits == number, "\(spelling)")
        }
    }

    @Test func termsHaveSpellings() throws {
        let phone = SearchTerm.phone(try #require(PhoneNumber("5531988880001")))
        let spelled = TermSpelling.known(for: .phone).map { $0.write(phone) }
        #expect(
            spelled == [
                "5531988880001", "+5531988880001", "31988880001", "(31) 98888-0001", "988880001", "88880001", "0001",
                "+55 31 98888-0001", nil,
            ])
        let foreign = SearchTerm.phone(try #require(PhoneNumber("+351912345678")))
        #expect(TermSpelling.foreign.write(foreign) == "351912345678")
        #expect(TermSpelling.national.write(foreign) == nil)
        #expect(TermSpelling.subscriber.write(foreign) == nil)
        #expect(TermSpelling.spaced.write(foreign) == nil)
        #expect(TermSpelling.lastFour.write(foreign) == "5678")
        let cpf = SearchTerm.cpf(try #require(CPF("20000000108")))
        #expect(TermSpelling.known(for: .cpf).map { $0.write(cpf) } == ["20000000108", "200.000.001-08"])
        #expect(
            TermSpelling.known(for: .name).map { $0.write(.name("Ána Lú")) } == ["Ána Lú", "ána lú", "ÁNA LÚ", "Ána"])
        #expect(TermSpelling.digits.write(phone) == nil)
    }

    /// RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ]) func base64(_ text: String, _ encoded: String) { #expect(Base64.encode(Array(text.utf8)) == encoded) }

    @Test(arguments: [
        ("<p>Olá &amp; bem-vinda</p><p>b</p>", "Olá & bem-vinda\nb"), ("a<br/>b", "a\nb"),
        ("&#233;&#xe9;&apos;", "éé'"),
        ("1 < 2", "1 < 2"), ("&bogus; &", "&bogus; &"), ("<b>x</b>", "x"), ("", ""),
    ]) func htmlBecomesText(_ html: String, _ text: String) { #expect(HTMLText.plain(html) == text) }

    @Test(arguments: ["%", "%4", "%zz", "%+1", "%ff"]) func malformedEscapesAreRefused(_ text: String) {
        #expect(PercentEncoding.decode(text) == nil)
    }
}
