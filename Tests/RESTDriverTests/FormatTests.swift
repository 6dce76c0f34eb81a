import ClientContract
import Testing

@testable import RESTDriver

@Suite struct FormatTests {
    private func read(_ pattern: String, _ text: String) throws -> String? {
        let pattern = try #require(DatePattern(pattern))
        return Array(text.utf8).withUnsafeBufferPointer { pattern.read($0)?.iso }
    }

    @Test(arguments: [
        ("yyyy-MM-dd", "1990-03-07", "1990-03-07"), ("dd-MM-yyyy", "07-03-1990", "1990-03-07"),
        ("dd/MM/yyyy", "07/03/1990", "1990-03-07"), ("MM/dd/yyyy", "03/07/1990", "1990-03-07"),
        ("yyyyMMdd", "19900307", "1990-03-07"), ("dd.MM.yy", "07.03.90", "1990-03-07"),
        ("dd.MM.yy", "07.03.29", "2029-03-07"),
        ("dd.MM.yy", "07.03.30", "1930-03-07"), ("yyyy-MM-dd*", "1936-12-04T00:00:00.000+0000", "1936-12-04"),
        ("yyyy-MM-ddT00:00:00", "1936-12-04T00:00:00", "1936-12-04"), ("yyyy-MM-dd", "2000-02-29", "2000-02-29"),
    ]) func datesAreRead(_ pattern: String, _ text: String, _ day: String) throws {
        #expect(try read(pattern, text) == day)
    }

    @Test(arguments: [
        ("yyyy-MM-dd", "1990-03-7"), ("yyyy-MM-dd", "1990-13-01"), ("yyyy-MM-dd", "2001-02-29"),
        ("yyyy-MM-dd", "0000-00-00"),
        ("yyyy-MM-dd", "1990-03-07T00:00"), ("yyyy-MM-dd", ""), ("dd/MM/yyyy", "07-03-1990"),
        ("dd/MM/yyyy", "1990/03/07"),
        ("yyyy-MM-dd*", "1936"), ("yyyy-MM-dd", "+990-03-07"),
    ]) func otherTextsAreNoDates(_ pattern: String, _ text: String) throws { #expect(try read(pattern, text) == nil) }

    @Test(arguments: [
        "", "yyyy", "yyyy-MM", "yyyy-MM-dd-dd", "YYYY-MM-DD", "yyyy-mm-dd", "yyyy yy MM dd", "dd/MMM/yyyy",
    ])
    func otherPatternsAreNone(_ pattern: String) { #expect(DatePattern(pattern) == nil) }

    /// Written and read again, a day is the same day; where it cannot be, it is not written.
    @Test func datesRoundTrip() throws {
        var random = Seeded(7)
        for name in [
            "yyyy-MM-dd", "dd-MM-yyyy", "dd/MM/yyyy", "yyyyMMdd", "yy/MM/dd", "yyyy-MM-ddT00:00:00", "yyyy-MM-dd*",
        ] {
            let pattern = try #require(DatePattern(name))
            for _ in 0..<500 {
                let day = try #require(
                    Birthday(
                        year: .random(in: 1900...2030, using: &random), month: .random(in: 1...12, using: &random),
                        day: .random(in: 1...28, using: &random)))
                guard let text = pattern.write(day) else {
                    #expect(name.hasPrefix("yy/") && !(1930...2029).contains(day.year))
                    continue
                }
                #expect(Array(text.utf8).withUnsafeBufferPointer { pattern.read($0) } == day)
            }
        }
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
                "5531988880001", "+5531988880001", "31988880001", "(31) 98888-0001", "988880001", "88880001", nil,
            ])
        let foreign = SearchTerm.phone(try #require(PhoneNumber("+351912345678")))
        #expect(TermSpelling.foreign.write(foreign) == "351912345678")
        #expect(TermSpelling.national.write(foreign) == nil)
        #expect(TermSpelling.subscriber.write(foreign) == nil)
        let cpf = SearchTerm.cpf(try #require(CPF("20000000108")))
        #expect(TermSpelling.known(for: .cpf).map { $0.write(cpf) } == ["20000000108", "200.000.001-08"])
        #expect(TermSpelling.known(for: .name).map { $0.write(.name("Ána")) } == ["Ána", "ána", "ÁNA"])
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
