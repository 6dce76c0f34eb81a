import ClientContract
import Foundation
import JSONBytes
import TestSupport
import Testing
import Transport
import UpstreamDriver

@testable import Bridge
@testable import RESTDriver

/// What old systems answer, over real sockets, and what becomes of it: the table of `docs/legacy-answers.md`, read from
/// the page.
@Suite(.timeLimit(.minutes(5))) struct LegacyAnswersTests {
    /// What a system sends for a sound body: everything, head included.
    typealias Answer = @Sendable (_ json: String) -> [UInt8]

    static let name = "João Conceição"

    // MARK: The answers

    private static func http(
        _ body: [UInt8], _ type: String? = "application/json", status: String = "200 OK", headers: String = "",
        length: Int? = nil
    ) -> [UInt8] {
        let type = type.map { "Content-Type: \($0)\r\n" } ?? ""
        return Array("HTTP/1.1 \(status)\r\n\(type)\(headers)Content-Length: \(length ?? body.count)\r\n\r\n".utf8)
            + body
    }

    private static func text(_ text: String, _ type: String? = "application/json", status: String = "200 OK") -> [UInt8]
    {
        http(Array(text.utf8), type, status: status)
    }

    /// Every letter of the tests is in ISO-8859-1.
    private static func latin1(_ text: String) -> [UInt8] {
        text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    }

    private static func utf16(_ text: String, bigEndian: Bool) -> [UInt8] {
        text.utf16.flatMap { unit in
            let bytes = [UInt8(unit >> 8), UInt8(unit & 0xFF)]
            return bigEndian ? bytes : bytes.reversed()
        }
    }

    private static let bom: [UInt8] = [0xEF, 0xBB, 0xBF]
    private static let page = "<!DOCTYPE html>\n<html><body>Entrar<form></form></body></html>"

    static let answers: [(key: String, answer: Answer)] = [
        ("utf-8", { text($0) }),
        ("no type", { text($0, nil) }),
        ("bom", { http(bom + Array($0.utf8)) }),
        ("boms", { http(bom + [0x0D, 0x0A] + bom + [0x0A] + Array($0.utf8)) }),
        ("utf-16 bom", { http([0xFF, 0xFE] + utf16($0, bigEndian: false)) }),
        ("utf-16 big-endian bom", { http([0xFE, 0xFF] + utf16($0, bigEndian: true)) }),
        ("utf-16 declared", { http(utf16($0, bigEndian: false), "application/json; charset=utf-16le") }),
        ("iso-8859-1 declared", { http(latin1($0), "application/json; charset=ISO-8859-1") }),
        ("windows-1252 declared", { http(latin1($0), "application/json;charset=\"windows-1252\"") }),
        ("iso-8859-15 declared", { http(latin1($0), "application/json; charset=iso-8859-15") }),
        ("windows-1252 undeclared", { http(latin1($0)) }),
        ("utf-8 declared as iso-8859-1", { text($0, "application/json; charset=ISO-8859-1") }),
        ("iso-8859-1 declared as utf-8", { http(latin1($0), "application/json; charset=utf-8") }),
        ("unknown encoding", { http(latin1($0), "application/json; charset=iso-8859-2") }),
        // The members' names prove nothing, so the other half stands in a member of its own.
        ("mixed", { http(Array("{\"obs\":\"não\",".utf8) + latin1(String($0.dropFirst()))) }),
        ("neither", { http(latin1(String($0.dropLast()) + #","obs":"Jo"#) + [0x81] + Array(#""}"#.utf8)) }),
        ("json as html", { text($0, "text/html; charset=utf-8") }),
        ("json as plain text", { text($0, "text/plain") }),
        ("html", { _ in text(page, "text/html") }),
        ("html as json", { _ in text(page) }),
        ("html behind a bom and a comment", { _ in http(bom + Array("\n <!-- x -->\(page)".utf8), "text/html") }),
        ("redirect", { _ in http([], nil, status: "302 Found", headers: "Location: /login?next=x\r\n") }),
        ("html with 404", { _ in text(page, "text/html", status: "404 Not Found") }),
        ("html as json with 404", { _ in http(bom + Array(" \(page)".utf8), status: "404 Not Found") }),
        ("json as html with 404", { _ in text(#"{"erro":"inexistente"}"#, "text/html", status: "404 Not Found") }),
        ("warning before json", { text("<br />\n<b>Warning</b>: mysql_connect()\n" + $0, "text/html") }),
        ("text after json", { text($0 + "\nOK") }),
        ("error with 200", { _ in text(#"{"sucesso":false,"mensagem":"Falha"}"#) }),
        ("error with 200, ruled", { _ in text(#"{"falha":true,"mensagem":"Falha"}"#) }),
        ("empty", { _ in http([], nil) }),
        ("blank", { _ in text(" \r\n") }),
        ("204", { _ in Array("HTTP/1.1 204 No Content\r\n\r\n".utf8) }),
        ("null", { _ in text("null") }),
        ("empty object", { _ in text("{}") }),
        ("empty array", { _ in text("[]") }),
        ("a word", { _ in text("OK", "text/plain") }),
        ("cut off", { http(Array($0.utf8), length: $0.utf8.count + 10) }),
        ("cut json", { text(String($0.dropLast(3))) }),
        (
            "broken chunks",
            { json in
                Array("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
                    + Array("\(String(json.utf8.count, radix: 16))\r\n\(json)\r\nxyz\r\n".utf8)
            }
        ),
        (
            "chunks without an end",
            { json in
                Array("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
                    + Array("\(String(json.utf8.count, radix: 16))\r\n\(json)\r\n".utf8)
            }
        ),
        ("not gzip", { http(Array($0.utf8), headers: "Content-Encoding: gzip\r\n") }),
        ("nothing", { _ in [] }),
        ("no http", { _ in Array("ORA-12541: TNS:no listener\r\n".utf8) }),
        (
            "repeated members",
            { text(#"{"id":"9","name":"Outra","items":null,"# + String($0.dropFirst())) }
        ),
        (
            "numbers as text",
            {
                text(
                    $0.replacingOccurrences(of: #""id":1"#, with: #""id":"1""#).replacingOccurrences(
                        of: #""total":1"#, with: #""total":"1""#))
            }
        ),
        ("not a number", { text(String($0.dropLast()) + #","saldo":NaN}"#) }),
        (
            "deep",
            {
                text(
                    String($0.dropLast()) + #","x":"# + String(repeating: "[", count: 70)
                        + String(repeating: "]", count: 70) + "}")
            }
        ),
    ]

    // MARK: The page

    private static let operations = ["list", "search", "get", "create", "update"]

    /// The rows of the page's table: key, and what each operation answers.
    private static func rows() throws -> [String: [String]] {
        let page = Sample.repository.appending(path: "docs/legacy-answers.md")
        var rows: [String: [String]] = [:]
        for line in try String(contentsOf: page, encoding: .utf8).split(separator: "\n") where line.hasPrefix("| **") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 6 else { throw Sample.Unusable() }
            let key = cells[0].replacingOccurrences(of: "*", with: "")
            // One column serves the list and the search.
            rows[key] = [cells[2]] + cells[2...].map { $0 }
            if rows[key]?.count != operations.count { throw Sample.Unusable() }
        }
        return rows
    }

    @Test func thePageHasEveryAnswerOnce() throws {
        #expect(try Self.rows().keys.sorted() == Self.answers.map(\.key).sorted())
        #expect(Set(Self.answers.map(\.key)).count == Self.answers.count)
    }

    @Test("each answer has the result that the page says", arguments: answers.map(\.key))
    func results(_ key: String) async throws {
        let answer = try #require(Self.answers.first { $0.key == key }?.answer)
        let wanted = try #require(try Self.rows()[key], "no row \(key)")
        let record = #"{"id":1,"name":"\#(Self.name)"}"#
        let server = try RawServer { connection in
            while let request = connection.readRequest() {
                let path = request.line.split(separator: " ")[1]
                let list = request.line.hasPrefix("GET") && !path.hasPrefix("/patients/")
                let bytes = answer(list ? #"{"items":[\#(record)],"total":1}"# : record)
                connection.write(bytes)
                // Those that end by the end of the connection.
                if ["cut off", "chunks without an end", "nothing", "no http"].contains(key) {
                    return connection.shutDown()
                }
            }
        }
        defer { server.stop() }
        let engine = try CurlEngine()
        let driver = RESTDriver(
            profile: try Sample.compile([("/outcomes", #"[{"when":{"body":{"/falha":true}},"then":"failure"}]"#)]),
            tenant: RESTTenant(baseURL: server.url, credentials: ["key": Secret("k-1")]),
            http: engine.channel(.direct))
        for (operation, wanted) in zip(Self.operations, wanted) {
            #expect(await result(operation, driver) == wanted, "\(operation)")
        }
        await engine.shutdown(cancelling: true)
    }

    /// As the page writes it.
    private func result(_ operation: String, _ driver: RESTDriver) async -> String {
        let context = CallContext(deadline: .now + .seconds(300), requestID: "req-1")
        let page = PageRequest(.offset(0), size: 10)
        func told(_ clients: [Client]) -> String {
            if clients.isEmpty { return "`[]`" }
            return clients.count == 1 && clients[0].id.text == "1" && clients[0].name == Self.name ? "as sent" : "other"
        }
        do {
            switch operation {
            case "list": return told(try await driver.page(page, context).clients)
            case "search":
                return told(try await driver.candidates(for: .name(Self.name), attempt: 0, page, context).clients)
            case "get": return told([try await driver.client(ClientID("1"), context)])
            case "create":
                guard let draft = Sample.ana, case .id(let id) = try await driver.create(draft, context) else {
                    return "other"
                }
                return id.text == "1" ? "as sent" : "other"
            default:
                guard case .id(let id) = try await driver.update(ClientID("1"), ClientPatch(name: "Ana"), context)
                else {
                    return "other"
                }
                return id.text == "1" ? "as sent" : "other"
            }
        } catch {
            return
                "`\(ContractError(error, system: "x", aboutClient: ["get", "update"].contains(operation)).code.rawValue)`"
        }
    }

    // MARK: Encodings

    @Test func windows1252IsWhatOthersSayItIs() throws {
        for byte in UInt8(0x80)...0xFF {
            let known = String(bytes: [byte], encoding: .windowsCP1252)
            let text = Charset.windows1252.utf8([byte]).map { String(decoding: $0, as: UTF8.self) }
            // The five that mean nothing stay controls.
            let undefined: Set<UInt8> = [0x81, 0x8D, 0x8F, 0x90, 0x9D]
            let wanted = undefined.contains(byte) ? String(Unicode.Scalar(byte)) : known
            #expect(text == wanted, "\(byte)")
            #expect(Charset.looksLikeWindows1252([byte]) == !undefined.contains(byte))
        }
    }

    @Test func latin9DiffersInEightPlaces() {
        let bytes = Array(UInt8(0x80)...0xFF)
        let latin9 = Array(String(decoding: Charset.latin9.utf8(bytes[...]) ?? [], as: UTF8.self).unicodeScalars)
        let different = zip(bytes, latin9).filter { UInt32($0) != $1.value }
        #expect(different.map(\.0) == [0xA4, 0xA6, 0xA8, 0xB4, 0xB8, 0xBC, 0xBD, 0xBE])
        #expect(String(String.UnicodeScalarView(different.map(\.1))) == "€ŠšŽžŒœŸ")
    }

    @Test(arguments: [
        ("text/html; charset=utf-8", "utf-8"), ("a/b;Charset=\"ISO-8859-1\" ; x=y", "ISO-8859-1"), ("a/b", nil),
        ("a/b; charset=", nil), ("a/b; x=charset", nil), ("a/b; charset = latin1", "latin1"), ("", nil),
    ]) func labels(_ contentType: String, _ label: String?) {
        #expect(Charset.label(inContentType: contentType) == label)
    }

    /// What the profile names outranks what the answer says, and what its bytes look like.
    @Test func aProfileMayNameTheEncoding() throws {
        let record = #"{"id":1,"name":"São"}"#
        func name(_ charset: String?, _ body: [UInt8], _ type: String = "application/json") throws -> String? {
            let driver = try Sample.driver([("/charset", charset.map { "\"\($0)\"" })], Script("{}"))
            let answer = UpstreamAnswer(status: 200, headers: [("Content-Type", type)], body: body)
            let operation = try #require(driver.plan.operations["get"])
            return driver.exchanger.judge(operation, .get, answer).document?.root["name"]?.string
        }
        let latin1 = Self.latin1(record)
        #expect(try name("windows-1252", latin1, "application/json; charset=utf-8") == "São")
        #expect(try name("iso-8859-1", latin1) == "São")
        #expect(try name("windows-1252", Array(record.utf8)) == "SÃ£o")
        #expect(try name("windows-1252", Self.bom + Array(record.utf8)) == "São")
        #expect(try name("windows-1252", Self.bom + latin1) == "São")
        #expect(try name("iso-8859-15", Array(#"{"name":""#.utf8) + [0xA4] + Array(#""}"#.utf8)) == "€")
        #expect(try name("utf-8", latin1) == nil)
        #expect(try name("utf-8", latin1, "application/json; charset=iso-8859-1") == nil)
        #expect(try name(nil, latin1) == "São")
        #expect(throws: (any Error).self) { try Sample.compile([("/charset", "\"ebcdic\"")]) }
    }

    /// A rule that looks for a text finds it in every encoding.
    @Test func rulesReadDecodedText() throws {
        let driver = try Sample.driver(
            [("/outcomes", #"[{"when":{"text":"não encontrado"},"then":"notFound"}]"#)], Script("{}"))
        let operation = try #require(driver.plan.operations["get"])
        let answer = UpstreamAnswer(
            status: 200, headers: [("Content-Type", "text/html; charset=iso-8859-1")],
            body: Self.latin1("<p>Não Encontrado</p>"))
        #expect(driver.exchanger.judge(operation, .get, answer).kind == .notFound)
    }

    @Test(arguments: [
        ("true", true), ("\"TRUE\"", true), ("1", true), ("\"1\"", true), ("false", false), ("\"false\"", false),
        ("0", false), ("\"0\"", false), ("null", nil), ("2", nil), ("\"\"", nil), ("[]", nil),
    ]) func truths(_ json: String, _ truth: Bool?) throws {
        #expect(try JSONDocument(Array(json.utf8)).root.truth == truth)
    }

    /// In rows as in single records, below members as at the top.
    @Test func theLastOfRepeatedMembersCountsWhole() async throws {
        let record =
            #"{"id":1,"name":"A","name":"Ana Teste","born":"1990-03-07","contact":{"email":"a@example.test","b":{"c":1}},"contact":{"b":{}}}"#
        let http = Script { request, _ in
            .json(request.target.hasPrefix("/patients/") ? record : #"{"items":[\#(record)]}"#)
        }
        let driver = try Sample.driver(
            [("/fields/email", #"{"at":"/contact/email"}"#), ("/fields/cpf", #"{"at":"/contact/b/c"}"#)], http)
        let rows = try await driver.page(PageRequest(.offset(0), size: 10), Sample.context).clients
        let single = try await driver.client(ClientID("1"), Sample.context)
        for client in rows + [single] {
            #expect(client.name == "Ana Teste")
            #expect(client.email == nil)
        }
        #expect(rows.count == 1)
    }
}
