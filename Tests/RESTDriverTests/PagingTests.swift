import ClientContract
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

@Suite struct PagingTests {
    private func rows(_ ids: Int...) -> String {
        "[" + ids.map { #"{"id":\#($0),"name":"P\#($0)"}"# }.joined(separator: ",") + "]"
    }

    private func page(_ driver: RESTDriver, _ place: PageRequest.Place = .offset(0), size: Int = 2) async throws
        -> ClientPage
    {
        try await driver.page(PageRequest(place, size: size), Sample.context)
    }

    @Test func offsetsAreSentAsTheyAre() async throws {
        let http = Script(#"{"total":"7","items":\#(rows(4, 5))}"#)
        let driver = try Sample.driver(http)
        let page = try await page(driver, .offset(3))
        #expect(http.last?.target == "/patients?limit=2&offset=3")
        #expect(page.clients.map(\.id.text) == ["4", "5"])
        #expect(page.total == 7)
        #expect(page.more == true)
        #expect(try await self.page(driver, .offset(5)).more == false)
        _ = try await self.page(driver, size: 999)
        #expect(http.last?.target == "/patients?limit=50&offset=0")
    }

    @Test(arguments: [0, 1]) func pagesCountFromTheirBase(_ base: Int) async throws {
        let http = Script(#"{"items":[],"pages":3}"#)
        let driver = try Sample.driver(
            [
                ("/operations/list/query", #"{"p":"{page}","s":"{size}"}"#),
                ("/operations/list/paging", #"{"style":"page","base":\#(base),"maximum":2,"pages":"/pages"}"#),
            ], http)
        let expected = [(0, true), (2, true), (4, false)]
        for (offset, more) in expected {
            let page = try await page(driver, .offset(offset))
            #expect(http.last?.target == "/patients?p=\(offset / 2 + base)&s=2")
            #expect(page.more == more)
        }
        #expect(await failure { _ = try await self.page(driver, .offset(3)) }?.name == "unsupported")
    }

    @Test func fixedSizesAreNotAskedFor() async throws {
        let http = Script(#"{"items":[]}"#)
        let driver = try Sample.driver(
            [
                ("/operations/list/query", #"{"p":"{page}"}"#),
                ("/operations/list/paging", #"{"style":"page","fixed":25}"#),
            ], http)
        _ = try await page(driver, .offset(50), size: 25)
        #expect(http.last?.target == "/patients?p=3")
        #expect(driver.capabilities.listPaging.fixed == 25)
    }

    @Test func cursorsLeadOn() async throws {
        let http = Script(#"{"items":\#(rows(1)),"next":"a/b c"}"#, #"{"items":\#(rows(2)),"next":null}"#)
        let driver = try Sample.driver(
            [
                ("/operations/list/query", #"{"cursor":"{cursor}","n":"{size}"}"#),
                ("/operations/list/paging", #"{"style":"cursor","next":"/next"}"#),
            ], http)
        let first = try await page(driver)
        #expect(http.last?.target == "/patients?n=2")
        let token = try #require(first.next)
        #expect("\(token)" == "page(…)")
        let second = try await page(driver, .token(token))
        #expect(http.last?.target == "/patients?cursor=a%2Fb%20c&n=2")
        #expect(second.next == nil)
        #expect(second.more == false)
        #expect(await failure { _ = try await self.page(driver, .offset(4)) }?.name == "unsupported")
    }

    @Test func aCursorThatDoesNotMoveIsNoEndlessLoop() async throws {
        let driver = try Sample.driver(
            [
                ("/operations/list/query", #"{"c":"{cursor}"}"#),
                ("/operations/list/paging", #"{"style":"cursor","next":"/next"}"#),
            ],
            Script(#"{"items":\#(rows(1)),"next":"same"}"#))
        let next = try #require(try await page(driver).next)
        #expect(await failure { _ = try await self.page(driver, .token(next)) }?.name == "malformed answer")
    }

    private func linked(_ http: Script, _ extra: [(String, String?)] = []) throws -> RESTDriver {
        try Sample.driver(
            [
                ("/operations/list/query", #"{"n":"{size}"}"#),
                ("/operations/list/paging", #"{"style":"link","next":"/next"}"#),
            ] + extra,
            http)
    }

    @Test(arguments: [
        ("https://vendor.example.test/v1/patients?page=2", "https://vendor.example.test/v1/patients?page=2"),
        ("https://VENDOR.example.test:443/x", "https://VENDOR.example.test:443/x"),
        ("/v1/patients?page=2", "https://vendor.example.test/v1/patients?page=2"),
        ("?page=2", "https://vendor.example.test/v1/patients?page=2"),
        ("patients?page=2", "https://vendor.example.test/v1/patients?page=2"),
    ]) func linksOfTheSameOriginAreFollowed(_ link: String, _ url: String) async throws {
        let http = Script(#"{"items":\#(rows(1)),"next":"\#(link)"}"#, #"{"items":[]}"#)
        let driver = try linked(http)
        let next = try #require(try await page(driver).next)
        #expect(try await page(driver, .token(next)).more == false)
        #expect(http.last?.url == url)
        #expect(http.last?.header("X-Key") == "k-1")
    }

    @Test(arguments: [
        "https://evil.example.test/v1/patients", "http://vendor.example.test/v1/patients", "//evil.example.test/x",
        "https://vendor.example.test:8443/x", "https://vendor.example.test@evil.example.test/",
        "https://k@vendor.example.test/",
        "javascript:alert(1)", "ftp://vendor.example.test/", "\\\\\\\\evil.example.test/x",
        "https://vendor.example.test.evil.test/", "/x#y", "/x y",
        "/x\\u000d\\u000aEvil: 1",
    ]) func otherLinksAreRefused(_ link: String) async throws {
        let driver = try linked(Script(#"{"items":\#(rows(1)),"next":"\#(link)"}"#))
        #expect(await failure { _ = try await self.page(driver) }?.name == "malformed answer")
    }

    @Test func aKeyInTheQueryIsAddedToLinksThatLackIt() async throws {
        let http = Script(#"{"items":\#(rows(1)),"next":"?page=2"}"#, #"{"items":[],"next":null}"#)
        let driver = try linked(http, [("/request/query", #"{"token":"{credential.key}"}"#)])
        let next = try #require(try await page(driver).next)
        _ = try await page(driver, .token(next))
        #expect(http.last?.target == "/patients?page=2&token=k-1")
    }

    @Test func anOnlyPageIsTheLast() async throws {
        let http = Script(#"{"items":\#(rows(1, 2, 3))}"#)
        let driver = try Sample.driver([("/operations/list/query", nil), ("/operations/list/paging", nil)], http)
        let page = try await page(driver)
        #expect(page.clients.count == 3)
        #expect(page.more == false)
        #expect(driver.capabilities.listPaging.style == .single)
    }

    @Test func whatIsNoListIsMalformedAndNeverEmpty() async throws {
        for body in [
            #"{"items":{}}"#, #"{"items":null}"#, #"{"items":"x"}"#, "{}", "[]", "", "<html></html>", #"{"items":[1]}"#,
            #"{"items":[{"name":"x"}]}"#,
        ] {
            let driver = try Sample.driver(Script(body))
            #expect(await failure { _ = try await self.page(driver) }?.name == "malformed answer", "\(body)")
        }
    }

    @Test(arguments: [
        ("single", #"{"id":1,"name":"A"}"#, 1), ("emptyObject", "{}", 0), ("null", "null", 0),
    ]) func otherFormsAreToleratedWhereDeclared(_ name: String, _ items: String, _ count: Int) async throws {
        let driver = try Sample.driver(
            [("/operations/list/tolerate", #"["\#(name)"]"#)], Script(#"{"items":\#(items)}"#))
        #expect(try await page(driver).clients.count == count)
    }

    @Test func severalPlacesAreTriedInOrder() async throws {
        let driver = try Sample.driver(
            [("/operations/list/items", #"["/a","/b"]"#)],
            Script(#"{"a":null,"b":\#(rows(1))}"#, #"{"b":\#(rows(1))}"#, #"{"a":[],"b":\#(rows(1))}"#))
        #expect(try await page(driver).clients.count == 1)
        #expect(try await page(driver).clients.count == 1)
        #expect(try await page(driver).clients.isEmpty)
    }

    @Test func inactiveRowsCountAsRowsOnly() async throws {
        let driver = try Sample.driver(
            [("/fields/active", #"{"at":"/on","is":["S",1]}"#)],
            Script(
                #"{"items":[{"id":1,"name":"A","on":"S"},{"id":2,"name":"B","on":"N"},{"id":3,"name":"C","on":1},{"id":4,"name":"D"}]}"#
            ))
        let page = try await page(driver)
        #expect(page.clients.map(\.id.text) == ["1", "3", "4"])
        #expect(page.rows == 4)
        #expect(driver.capabilities.skipsRows)
    }
}
