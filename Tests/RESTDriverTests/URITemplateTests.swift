import DriverSupport
import Testing

@testable import RESTDriver

/// RFC 6570, section 3.2, for the operators that profiles may use.
@Suite struct URITemplateTests {
    static let values = Variables([
        "count": .list(["one", "two", "three"]), "dom": .list(["example", "com"]), "dub": .text("me/too"),
        "hello": .text("Hello World!"), "half": .text("50%"), "var": .text("value"), "who": .text("fred"),
        "base": .text("http://example.com/home/"), "path": .text("/foo/bar"), "list": .list(["red", "green", "blue"]),
        "v": .text("6"), "x": .text("1024"), "y": .text("768"), "empty": .text(""), "empty_keys": .list([]),
        "semi": .text(";"),
    ])

    @Test(arguments: [
        // 3.2.2 simple
        ("{var}", "value"), ("{hello}", "Hello%20World%21"), ("{half}", "50%25"), ("O{empty}X", "OX"),
        ("O{undef}X", "OX"), ("{x,y}", "1024,768"), ("{x,hello,y}", "1024,Hello%20World%21,768"),
        ("?{x,empty}", "?1024,"),
        ("?{x,undef}", "?1024"), ("?{undef,y}", "?768"), ("{var:3}", "val"), ("{var:30}", "value"),
        ("{list}", "red,green,blue"), ("{list*}", "red,green,blue"), ("{count}", "one,two,three"),
        // 3.2.5 labels
        ("{.who}", ".fred"), ("{.who,who}", ".fred.fred"), ("{.half,who}", ".50%25.fred"),
        ("www{.dom*}", "www.example.com"),
        ("X{.var}", "X.value"), ("X{.empty}", "X."), ("X{.undef}", "X"), ("X{.var:3}", "X.val"),
        ("X{.list}", "X.red,green,blue"), ("X{.list*}", "X.red.green.blue"), ("X{.empty_keys}", "X"),
        ("X{.empty_keys*}", "X"),
        // 3.2.6 path segments
        ("{/who}", "/fred"), ("{/who,who}", "/fred/fred"), ("{/half,who}", "/50%25/fred"),
        ("{/who,dub}", "/fred/me%2Ftoo"),
        ("{/var}", "/value"), ("{/var,empty}", "/value/"), ("{/var,undef}", "/value"),
        ("{/var,x}/here", "/value/1024/here"),
        ("{/var:1,var}", "/v/value"), ("{/list}", "/red,green,blue"), ("{/list*}", "/red/green/blue"),
        // 3.2.7 path-style parameters
        ("{;who}", ";who=fred"), ("{;half}", ";half=50%25"), ("{;empty}", ";empty"),
        ("{;v,empty,who}", ";v=6;empty;who=fred"),
        ("{;v,bar,who}", ";v=6;who=fred"), ("{;x,y}", ";x=1024;y=768"), ("{;x,y,empty}", ";x=1024;y=768;empty"),
        ("{;x,y,undef}", ";x=1024;y=768"), ("{;hello:5}", ";hello=Hello"), ("{;list}", ";list=red,green,blue"),
        ("{;list*}", ";list=red;list=green;list=blue"),
        // 3.2.8 and 3.2.9 queries
        ("{?who}", "?who=fred"), ("{?half}", "?half=50%25"), ("{?x,y}", "?x=1024&y=768"),
        ("{?x,y,empty}", "?x=1024&y=768&empty="),
        ("{?x,y,undef}", "?x=1024&y=768"), ("{?var:3}", "?var=val"), ("{?list}", "?list=red,green,blue"),
        ("{?list*}", "?list=red&list=green&list=blue"), ("{&who}", "&who=fred"),
        ("?fixed=yes{&x}", "?fixed=yes&x=1024"),
        ("{&x,y,empty}", "&x=1024&y=768&empty="), ("{&var:3}", "&var=val"),
        ("{&list*}", "&list=red&list=green&list=blue"),
        // Unicode and prefixes of it (section 2.4.1: characters, not bytes)
        ("{semi:2}", "%3B"),
    ]) func expands(_ template: String, _ expected: String) throws {
        #expect(try URITemplate(template).expand(Self.values) == expected)
    }

    @Test(arguments: [
        ("{+var}", "change the path"), ("{#var}", "change the path"), ("{=var}", "does not have"),
        ("{!var}", "does not have"),
        ("{@var}", "does not have"), ("{|var}", "does not have"), ("{$var}", "does not have"), ("{var", "without }"),
        ("var}", "without {"), ("{}", "proper variable"), ("{a,}", "proper variable"), ("{a b}", "proper variable"),
        ("{a:0}", "prefix"), ("{a:10000}", "prefix"), ("{a:x}", "prefix"), ("/a b", "percent-encode"),
        ("/ã", "percent-encode"),
        ("/a\r\nb", "percent-encode"), ("/<a>", "percent-encode"),
    ]) func refuses(_ template: String, _ complaint: String) {
        #expect { try URITemplate(template) } throws: {
            ($0 as? TemplateFault)?.message.contains(complaint) ?? false
        }
    }

    /// Whatever a value holds, it stays one segment of unreserved characters and escapes.
    @Test func valuesStayInTheirPlace() throws {
        var random = Seeded(6570)
        let template = try URITemplate("/a/{id}/b")
        let pieces = [
            "..", "/", "%2F", "?", "#", "\r\n", "\0", "{x}", "é", "👩‍👩‍👧", "a", ";", "@", ":", "\\", " ", "&", "=", ".",
        ]
        for _ in 0..<2_000 {
            let value = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }.joined()
            let expanded = template.expand(Variables(["id": .text(value)]))
            let middle = expanded.dropFirst("/a/".count).dropLast("/b".count)
            #expect(
                middle.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                        || "-._~%".utf8.contains(byte)
                })
            #expect(PercentEncoding.decode(String(middle)) == value)
        }
    }

    @Test func textTemplatesKnowBracesAndAbsence() throws {
        #expect(try TextTemplate("Bearer {var}").expand(Self.values) == "Bearer value")
        #expect(try TextTemplate("{{\"a\":{var}}}").expand(Self.values) == "{\"a\":value}")
        #expect(try TextTemplate("{undef}").expand(Self.values) == nil)
        #expect(try TextTemplate("{list}").expand(Self.values) == "red,green,blue")
        // A value that looks like a template is a value.
        #expect(try TextTemplate("{a}").expand(Variables(["a": .text("{var}")])) == "{var}")
        for broken in ["{a", "a}", "{"] { #expect(throws: TemplateFault.self) { try TextTemplate(broken) } }
    }
}
