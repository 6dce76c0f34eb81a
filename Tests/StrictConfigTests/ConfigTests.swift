import JSONBytes
import StrictConfig
import Testing

/// Reads a file and answers its faults as `line:column pointer message`.
private func faults(_ text: String, _ read: (ConfigNode) -> Void = { _ in }) -> [String] {
    let report = ConfigReport(file: "tenant.json")
    if let root = report.root(Array(text.utf8)) { read(root) }
    #expect(report.faults.allSatisfy { $0.file == "tenant.json" })
    return report.faults.map { "\($0.line):\($0.column) \($0.pointer) \($0.message)" }
}

/// An expectation inside another one's closure.
private func check(_ condition: Bool, _ place: SourceLocation = #_sourceLocation) {
    #expect(condition, sourceLocation: place)
}

@Suite struct Files {
    @Test func whatIsNotJSONHasAPlace() {
        #expect(
            faults("{\n  \"a\": tru\n}") == ["2:8  is not JSON: only true, false and null may stand without quotes"])
        #expect(faults("") == ["1:1  is not JSON: the document is empty"])
        #expect(faults("{\"a\":1,}").count == 1)
        #expect(faults("{\"a\":1} x") == ["1:9  is not JSON: bytes follow the value"])
        #expect(faults(String(repeating: "[", count: 65)).first?.contains("nest too deeply") == true)
        #expect(faults(String(repeating: " ", count: (4 << 20) + 1)).first?.contains("too long") == true)
    }

    @Test func anErrorPrintsEveryFaultOnItsLine() throws {
        let report = ConfigReport(file: "tenant.json")
        let root = try #require(report.root(Array("{\n \"id\": 7,\n \"nmae\": \"x\"\n}".utf8)))
        let object = root.object(["id", "name"])
        _ = object?.required("id")?.string()
        _ = object?.required("name")
        let error = #expect(throws: ConfigError.self) { try report.check() }
        #expect(
            error?.description == """
                tenant.json:3:2: /nmae: unknown member "nmae": did you mean "name"? Known: id, name
                tenant.json:2:8: /id: expected a string, found a number
                tenant.json:1:1: (the whole file): lacks the member "name"
                """)
        #expect(error?.faults == report.faults)
    }

    /// Names from a file stand in messages about other places, too.
    @Test func aFaultIsOneLineWhateverTheFileHolds() {
        let fault = ConfigFault(
            file: "a\u{1B}.json", pointer: "/b\nc",
            message: NearestName.unknown("credential", "x", ["to\u{0}\u{1B}[2Jken\n"])
        )
        #expect(
            fault.description == #"a\u{1b}.json:1:1: /b\u{a}c: unknown credential "x". Known: to\u{0}\u{1b}[2Jken\u{a}"#
        )
    }

    @Test func noFaultsNoError() throws {
        let report = ConfigReport(file: "tenant.json")
        let root = try #require(report.root(Array("{\"id\":\"a\"}".utf8)))
        #expect(root.object(["id"])?.required("id")?.string() == "a")
        try report.check()
    }

    @Test func namesCannotForgeLines() {
        let report = ConfigReport(file: "tenant.json")
        _ = report.root(Array(#"{"a\nb\u001b[2J\u202e":{"x":1}}"#.utf8))?.object(["id"])
        let text = ConfigError(report.faults).description
        #expect(report.faults.count == 1)
        #expect(!text.contains("\n") && !text.contains("\u{1B}") && !text.contains("\u{202E}"))
        #expect(text.contains(#"/a\u{a}b\u{1b}[2J\u{202e}: unknown member "a\u{a}b"#))
    }
}

@Suite struct Objects {
    @Test func unknownMembersNameTheNearest() {
        #expect(
            faults(#"{"upstraem":{}, "id":"a", "zzz":1}"#) { _ = $0.object(["id", "upstream"]) } == [
                #"1:2 /upstraem unknown member "upstraem": did you mean "upstream"? Known: id, upstream"#,
                #"1:27 /zzz unknown member "zzz". Known: id, upstream"#,
            ])
    }

    @Test func repeatedMembersAreFaults() {
        #expect(
            faults("{\"id\":1,\n\"id\":2}") { _ = $0.object(["id"]) } == ["2:1 /id stands twice in the same object"])
        #expect(
            faults(#"{"id":1,"i\u0064":2}"#) { _ = $0.object(["id"]) } == ["1:9 /id stands twice in the same object"])
        #expect(
            faults(#"{"a":1,"a":2,"b":1}"#) { check($0.entries().map(\.name) == ["a", "a", "b"]) }
                == ["1:8 /a stands twice in the same object"])
        // Two spellings of one letter are two names to JSON.
        #expect(faults(#"{"é":1,"e\u0301":2}"#) { check($0.entries().count == 2) } == [])
    }

    @Test func commentsAndSchema() {
        let text = #"{"$schema":"s","$comment":[1],"in":{"$comment":"x","$schema":"s"}}"#
        #expect(
            faults(text) { root in
                let inner = root.object(["in"])?.optional("in")
                _ = inner?.object([])
            } == [##"1:52 /in/$schema unknown member "$schema": none is allowed here"##])
        #expect(faults(text) { check($0.entries().map(\.name) == ["$schema", "in"]) } == [])
    }

    @Test(arguments: ["null", "true", "1", "\"a\"", "[]"])
    func otherKindsAreNoObject(_ text: String) {
        #expect(
            faults(text) { check($0.object([]) == nil) }.first?.hasPrefix("1:1  expected an object, found ") == true)
        #expect(
            faults(text) { check($0.entries("named keys").isEmpty) }.first?.hasPrefix("1:1  expected named keys")
                == true)
        #expect(faults(text) { _ = $0.object([]) }.count == 1)
    }

    @Test func membersThatLack() {
        #expect(
            faults("{\n \"in\": {} }") { root in
                let inner = root.object(["in"])?.required("in")?.object(["id"])
                check(inner?.optional("id") == nil)
                check(inner?.required("id") == nil)
            } == ["2:8 /in lacks the member \"id\""])
    }

    @Test func pointersAreEscaped() {
        #expect(
            faults(#"{"a/b":{"c~d":[0,null]}}"#) { root in
                for (_, node) in root.entries() {
                    for (_, list) in node.entries() { for element in list.elements() { _ = element.bool() } }
                }
            } == [
                "1:16 /a~1b/c~0d/0 expected true or false, found a number",
                "1:18 /a~1b/c~0d/1 expected true or false, found null",
            ])
    }
}

@Suite struct Scalars {
    @Test(arguments: [
        ("null", "null"), ("true", "a boolean"), ("false", "a boolean"), ("1", "a number"), ("[]", "an array"),
        ("{}", "an object"),
    ])
    func whatIsFoundInsteadOfAString(_ text: String, _ found: String) {
        let place = "1:8 /a expected"
        let file = #"{ "a": \#(text)}"#
        func at(_ read: @escaping (ConfigNode) -> Void) -> [String] {
            faults(file) { root in if let node = root.object(["a"])?.optional("a") { read(node) } }
        }
        #expect(at { check($0.string() == nil) } == ["\(place) a string, found \(found)"])
        #expect(at { check($0.string("a URL") == nil) } == ["\(place) a URL, found \(found)"])
        #expect(at { check($0.duration() == nil) } == ["\(place) a duration such as \"10s\", found \(found)"])
        #expect(
            at { check($0.jsonPointer() == nil) } == [
                "\(place) a JSON pointer such as \"/dados/itens\", found \(found)"
            ])
        #expect(at { check($0.choice(["x": 1, "y": 2]) == nil) } == ["\(place) one of \"x\", \"y\", found \(found)"])
        #expect(at { check($0.choice(Colour.self) == nil) } == ["\(place) one of \"red\", \"green\", found \(found)"])
        if found != "a boolean" { check(at { check($0.bool() == nil) } == ["\(place) true or false, found \(found)"]) }
        if found != "a number" {
            check(at { check($0.int(0...9) == nil) } == ["\(place) a whole number, found \(found)"])
        }
        if found != "an array" { check(at { check($0.elements().isEmpty) } == ["\(place) an array, found \(found)"]) }
    }

    private enum Colour: String, CaseIterable { case red, green }

    private func read<Value>(_ text: String, _ body: (ConfigNode) -> Value?) -> (value: Value?, faults: [String]) {
        var value: Value?
        let found = faults(text) { value = body($0) }
        #expect((value == nil) == !found.isEmpty)
        return (value, found)
    }

    @Test func strings() {
        #expect(read(#""Clínica \u0041""#) { $0.string() }.value == "Clínica A")
        #expect(read(#""""#) { $0.string() }.faults == ["1:1  must not be empty"])
        #expect(read(#""""#) { $0.string(allowEmpty: true) }.value == "")
        #expect(read(#""a\u0000""#) { $0.string() }.faults.first?.contains("is not text") == true)
        #expect(read(#""a\ud800""#) { $0.string() }.faults.first?.contains("is not text") == true)
    }

    @Test func booleans() {
        #expect(read("true") { $0.bool() }.value == true)
        #expect(read("false") { $0.bool() }.value == false)
        #expect(read("\"true\"") { $0.bool() }.faults == ["1:1  expected true or false, found a string"])
    }

    @Test func integers() {
        #expect(read("0") { $0.int(0...9) }.value == 0)
        #expect(read("9") { $0.int(0...9) }.value == 9)
        #expect(read("-3") { $0.int(-5...9) }.value == -3)
        for text in ["10", "-1", "1.0", "1e0", "99999999999999999999"] {
            #expect(
                read(text) { $0.int(0...9) }.faults == [
                    "1:1  must be a whole number from 0 to 9, written as digits only"
                ])
        }
        #expect(read("\"1\"") { $0.int(0...9) }.faults == ["1:1  expected a whole number, found a string"])
    }

    @Test func choices() {
        #expect(read("\"green\"") { $0.choice(Colour.self) }.value == .green)
        #expect(
            read("\"Green\"") { $0.choice(Colour.self) }.faults
                == [#"1:1  unknown value "Green": did you mean "green"? Known: green, red"#])
        #expect(read("\"rest\"") { $0.choice(["rest": 1, "fhir": 2]) }.value == 1)
        #expect(
            read("\"rset\"") { $0.choice(["rest": 1, "fhir": 2]) }.faults
                == [#"1:1  unknown value "rset": did you mean "rest"? Known: fhir, rest"#])
    }

    @Test(arguments: [
        ("1ms", Duration.milliseconds(1)), ("250ms", .milliseconds(250)), ("10s", .seconds(10)), ("010s", .seconds(10)),
        ("5m", .seconds(300)), ("2h", .seconds(7200)), ("7d", .seconds(604_800)), ("366d", .seconds(86_400 * 366)),
        ("2000000000ms", .seconds(2_000_000)),
    ])
    func durations(_ text: String, _ expected: Duration) {
        #expect(read("\"\(text)\"") { $0.duration() }.value == expected)
    }

    @Test(arguments: [
        "", "s", "10", "10 s", " 10s", "10s ", "1.5s", "-1s", "+1s", "10S", "10sec", "1m30s", "١s", "10s\u{301}",
        "1e3s",
    ])
    func noDurations(_ text: String) {
        #expect(
            read("\"\(text)\"") { $0.duration() }.faults
                == [#"1:1  is not a duration: write a number and ms, s, m, h or d, such as "10s""#])
    }

    @Test func durationsOutOfRange() {
        for text in ["0ms", "0d", "367d", "99999999999ms", "9223372036854775807d", "99999999999999999999999s"] {
            #expect(read("\"\(text)\"") { $0.duration() }.faults == ["1:1  must be from 1ms to 366d"])
        }
        #expect(
            read("\"9s\"") { $0.duration(.seconds(10)...(.seconds(90))) }.faults == ["1:1  must be from 10s to 90s"])
        #expect(
            read("\"9d\"") { $0.duration(.zero...(.milliseconds(1500))) }.faults == ["1:1  must be from 0s to 1500ms"])
        #expect(read("\"0s\"") { $0.duration(.zero...(.seconds(1))) }.value == .zero)
    }

    @Test func pointers() {
        #expect(read("\"/dados/0/a~1b\"") { $0.jsonPointer() }.value == JSONPointer("/dados/0/a~1b"))
        #expect(read("\"\"") { $0.jsonPointer() }.value == .root)
        for text in ["dados", "/a~2", "/a~", "#/a"] {
            #expect(
                read("\"\(text)\"") { $0.jsonPointer() }.faults.first?.hasPrefix("1:1  is not a JSON pointer") == true)
        }
    }

    @Test func arrays() {
        #expect(
            faults("[1,\n 2, \"x\"]") { root in
                check(root.elements().compactMap { $0.int(0...9) } == [1, 2])
            } == ["2:5 /2 expected a whole number, found a string"])
        #expect(faults("\"a\"") { check($0.oneOrMore().compactMap { $0.string() } == ["a"]) } == [])
        #expect(faults("[\"a\",\"b\"]") { check($0.oneOrMore().compactMap { $0.string() } == ["a", "b"]) } == [])
    }
}

@Suite struct NearestNames {
    @Test(arguments: [
        ("phne", "phone"), ("pohne", "phone"), ("PHONE", "phone"), ("brthdy", "birthday"), ("cfp", "cpf"),
        ("emails", "email"),
        ("allphones", "allPhones"), ("fone", "phone"),
    ])
    func areFound(_ name: String, _ expected: String) {
        let known = ["id", "name", "description", "phone", "allPhones", "cpf", "image", "email", "birthday"]
        #expect(NearestName.of(name, in: known) == (name == "fone" ? nil : expected))
    }

    @Test(arguments: ["zzz", "x", "", "telefone", "ab"])
    func areNotGuessedFromNothing(_ name: String) {
        #expect(NearestName.of(name, in: ["id", "cpf", "phone"]) == nil)
        #expect(NearestName.of(name, in: []) == nil)
    }

    @Test func longNamesAreCut() {
        let message = NearestName.unknown("member", String(repeating: "a", count: 5000), ["id"])
        #expect(message == "unknown member \"\(String(repeating: "a", count: 60))…\". Known: id")
        let marks = NearestName.unknown("member", "a" + String(repeating: "\u{301}", count: 5000), ["id"])
        #expect(marks.utf8.count < 250)
    }
}
