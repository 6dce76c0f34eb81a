import ClientContract
import Foundation
import Testing
import Transport
import UpstreamDriver

@testable import TrytonDriver

/// The sample answers of `Tests/Fixtures/gnuhealth`.
@Suite struct FixtureTests {
    private let context = CallContext(deadline: .now + .seconds(60), requestID: "test")

    private func driver(_ file: String) throws -> TrytonDriver {
        let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/gnuhealth/\(file)")
        let body = try String(contentsOf: url, encoding: .utf8)
        return Script { request, _ in request.isLogin ? .session : .json(body) }.driver()
    }

    @Test func readsAList() async throws {
        let page = try await driver("list.json").page(PageRequest(.offset(0), size: 3), context)
        #expect(page.clients.map(\.id.text) == ["1001", "1002", "1003"])
        #expect(page.clients.map(\.name) == ["João Silva", "Maria Exemplo da Família", "José Exemplo da Família"])
        #expect(page.clients.map { $0.allPhones.count } == [2, 1, 2])
        #expect(page.clients.map { $0.cpf?.digits } == ["12345678900", "20000000108", "20000000299"])
        #expect(page.clients.map { $0.birthday?.iso } == ["1990-01-01", "1984-05-20", "1982-02-28"])
        #expect(page.clients.map { $0.email } == ["joao@example.com", "maria.familia@example.test", nil])
    }

    @Test func readsARecordAndNobody() async throws {
        let client = try await driver("record.json").client(ClientID("1001"), context)
        #expect(client.name == "João Silva")
        #expect(client.has(.image) && !client.has(.phone))
        let nobody = await failure { _ = try await driver("empty.json").client(ClientID("1"), context) }
        #expect(nobody?.name == "not found")
        let error = await failure { _ = try await driver("error.json").client(ClientID("1"), context) }
        #expect(error?.name == "failed")
    }

    @Test func readsWhatAChangeMustKnow() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/gnuhealth/changeable.json")
        let answer = try RPCServer.judge(.json(try String(contentsOf: url, encoding: .utf8)), .read)
        guard case .carriedOut(.result(let rows)) = answer, let row = rows.elements.first else {
            Issue.record("expected rows")
            return
        }
        let party = PartyOnRecord(row)
        #expect(party.given == "Ana")
        #expect(party.cpfID == 10_080)
        #expect(party.emailID == nil)
        #expect(party.officialFamilies == [1_008])
        #expect(party.stamp == "1700000001.1008")
    }
}
