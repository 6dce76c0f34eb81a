import Bridge
import ClientContract
import JSONBytes
import MockUpstream
import Testing
import Transport
import UpstreamDriver

@testable import RESTDriver

/// Who is who, and what a change leaves alone, from the contract to the vendor's socket.
@Suite(.timeLimit(.minutes(1))) struct IdentityTests {
    private let context = CallContext(deadline: .now + .seconds(30), requestID: "test")

    // MARK: One phone, several people

    /// The family of the pretend Feegow, on one phone.
    private func family(_ body: (Bridge, MockServer) async throws -> Void) async throws {
        let options = MockOptions(dialect: .feegow, patients: 30)
        let mock = try await MockServer.start(options)
        let engine = try CurlEngine()
        let driver = RESTDriver(
            profile: try Sample.shipped("feegow"),
            tenant: RESTTenant(
                baseURL: mock.baseURL, credentials: ["token": Secret(options.accessToken)],
                phones: PhoneContext(areaCode: 31)),
            http: engine.channel(ChannelSettings()))
        do {
            try await body(
                Bridge(driver: driver, options: BridgeOptions(rules: InputRules(phones: PhoneContext(areaCode: 31)))),
                mock)
        } catch { Issue.record(error) }
        await engine.shutdown()
        await mock.stop()
    }

    @Test("a search by a phone that several people share answers all of them, in every spelling of it")
    func allOfThem() async throws {
        try await family { bridge, _ in
            let all = try await bridge.search("5531988887777", Window(), context).map(\.id.text)
            #expect(Set(all).isSuperset(of: ["1002", "1003", "1004"]))
            for spelling in ["553188887777", "(31) 98888-7777", "98888-7777", "0 15 31 8888-7777"] {
                #expect(try await bridge.search(spelling, Window(), context).map(\.id.text) == all)
            }
            #expect(try await bridge.search("5531988887777", Window(limit: 1, offset: 1), context).count == 1)
        }
    }

    @Test("a create by that phone alone picks nobody and makes nobody: 409 that names all of them")
    func noneIsPicked() async throws {
        try await family { bridge, mock in
            let phone = try #require(PhoneNumber("5531988887777"))
            let all = try await bridge.search(phone.digits, Window(), context).map(\.id)
            for name in ["5531988887777", "+55 31 8888-7777"] {
                var refused: ContractError?
                do { _ = try await bridge.create(ClientDraft(name: name, phone: phone), context) } catch {
                    refused = error as? ContractError
                }
                #expect(refused?.code == .duplicate)
                #expect(Set(refused?.conflicting ?? []) == Set(all))
            }
            #expect(mock.requests.count(.create) == 0)
            // With a name it is one of them, or somebody new.
            let known = try await bridge.client(ClientID("1003"), context)
            let again = try await bridge.create(ClientDraft(name: known.name.uppercased(), phone: phone), context)
            #expect(again.id == known.id)
            #expect(mock.requests.count(.create) == 0)
            let other = try await bridge.create(ClientDraft(name: "Nova Pessoa Fictícia", phone: phone), context)
            #expect(!all.contains(other.id))
            #expect(mock.requests.count(.create) == 1)
        }
    }

    // MARK: A change leaves the rest alone

    /// A vendor's record, its values written as no serialiser of ours would.
    private static let record =
        #"{"id":7,"name":"Ana Teste","n":1.0e2,"cpf":"200.000.001-08","x":"\u00e1\/b","big":12345678901234567890123,"#
        + #""born":"1990-03-07","nested":{"b":[1, 2 ,null],"c":{}},"email":"ana@example.test","phone":"(31) 98888-0001"}"#

    private func patch(
        _ body: String, _ changes: [(String, String?)] = []
    ) async throws -> (client: Client?, error: ContractError?, sent: [VendorServer.Request]) {
        let engine = try CurlEngine()
        var result: (client: Client?, error: ContractError?, sent: [VendorServer.Request]) = (nil, nil, [])
        try await VendorServer.with { request, _ in
            request.method == "GET" ? Self.record : request.body
        } _: { server in
            let driver = RESTDriver(
                profile: try Sample.compile(
                    [("/operations/update/answer", #"{"item":""}"#), ("/update/style", "\"full\"")] + changes),
                tenant: RESTTenant(baseURL: server.baseURL, credentials: ["key": Secret("k-1")]),
                http: engine.channel(ChannelSettings()))
            let bridge = Bridge(driver: driver, options: BridgeOptions())
            do {
                result.client = try await bridge.update(
                    ClientID("7"), try ClientPatch(body: Array(body.utf8)), context)
            } catch { result.error = error as? ContractError }
            result.sent = server.requests
        }
        await engine.shutdown()
        return result
    }

    @Test(
        "a change of one member sends the others back byte by byte",
        arguments: [
            (#"{"name":"Bia Teste"}"#, #""Ana Teste""#, #""Bia Teste""#),
            (#"{"email":"nova@example.test"}"#, #""ana@example.test""#, #""nova@example.test""#),
            (#"{"birthday":"1991-04-08"}"#, #""1990-03-07""#, #""1991-04-08""#),
            // Unchanged in value: the vendor's spelling stays.
            (#"{"name":"Ana Teste","cpf":"20000000108"}"#, #""Ana Teste""#, #""Ana Teste""#),
        ])
    func byteByByte(_ body: String, _ old: String, _ new: String) async throws {
        let result = try await patch(body)
        #expect(result.error == nil)
        #expect(result.sent.map(\.method) == ["GET", "PUT"])
        #expect(result.sent.last?.body == Self.record.replacing(old, with: new))
    }

    @Test("where the vendor changes members one by one, only what the patch names is sent")
    func onlyWhatIsNamed() async throws {
        let result = try await patch(
            #"{"email":"nova@example.test"}"#,
            [("/update/style", "\"partial\""), ("/operations/update/answer", nil)])
        #expect(result.sent.first { $0.method == "PUT" }?.body == #"{"email":"nova@example.test"}"#)
    }

    @Test(
        "an empty patch reads and answers the client; null is refused; what is absent stays",
        arguments: [
            (#"{}"#, ["GET"], true), (#"{"externalId":null}"#, ["GET"], true), (#"{"email":null}"#, [], false),
        ])
    func emptyAndNull(_ body: String, _ methods: [String], _ answered: Bool) async throws {
        let result = try await patch(body)
        #expect(result.sent.map(\.method) == methods)
        #expect((result.client?.email == "ana@example.test") == answered)
        #expect(result.error?.code == (answered ? nil : .invalidInput))
    }
}
