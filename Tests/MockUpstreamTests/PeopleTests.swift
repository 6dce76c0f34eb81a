import JSONBytes
import MockUpstream
import Testing

/// The generated patients, as the agenda-demo dialect shows them.
@Suite struct PeopleTests {
    private func pages(seed: UInt64, patients: Int) async throws -> [[UInt8]] {
        try await withMock(MockOptions(seed: seed, patients: patients)) { server in
            let session = try AgendaDemoTests.Session(server)
            return try (1...max(1, (patients + 99) / 100)).map {
                try session.call("GET", "/api/pacientes?porPagina=100&pagina=\($0)").body
            }
        }
    }

    private func records(seed: UInt64, patients: Int) async throws -> [JSONValue] {
        try await pages(seed: seed, patients: patients).flatMap {
            try #require(try JSONDocument($0).root["dados"]?["itens"]).elements
        }
    }

    private func phones(_ record: JSONValue) -> [String] {
        let contacts = record["contatos"]
        let others = contacts?["telefones"]?.elements.map { $0["numero"]?.string } ?? []
        return ([contacts?["celular"]?.string] + others).compactMap(\.self).filter { !$0.isEmpty }
    }

    @Test func theSameSeedGivesTheSameBytes() async throws {
        let once = try await pages(seed: 7, patients: 300)
        let again = try await pages(seed: 7, patients: 300)
        let other = try await pages(seed: 8, patients: 300)
        #expect(once == again)
        #expect(once != other)
    }

    @Test func bothDialectsShowTheSamePeople() async throws {
        let records = try await records(seed: 3, patients: 100)
        try await withMock(MockOptions(dialect: .feegow, seed: 3, patients: 100)) { server in
            let rows = try #require(
                try FeegowTests.Caller(server).call("GET", "list?limit=100").json()["content"]
            ).elements
            #expect(rows.map { $0["nome"]?.string } == records.map { $0["nomeCompleto"]?.string })
            #expect(rows.map { $0["patient_id"]?.int } == records.map { $0["codigo"]?.int })
        }
    }

    @Test func moreOfThemBeginLikeFewerOfThem() async throws {
        let few = try await records(seed: 7, patients: 150)
        let many = try await records(seed: 7, patients: 300)
        #expect(few.map(\.source) == many.prefix(150).map(\.source))
    }

    @Test func allCPFsDifferAndPassTheirCheckDigitsButTheContracts() async throws {
        let records = try await records(seed: 11, patients: 2_000)
        let cpfs = records.compactMap { $0["documento"]?["cpf"]?.string }.filter { !$0.isEmpty }
        #expect(cpfs.count > 1_500 && cpfs.count < 2_000)
        #expect(Set(cpfs).count == cpfs.count)
        #expect(cpfs.filter { !passes($0) } == ["123.456.789-00"])
    }

    /// The check digits, written apart from the code under test: from the ministry's two weighted sums.
    private func passes(_ cpf: String) -> Bool {
        let digits = cpf.compactMap(\.wholeNumberValue)
        guard digits.count == 11 else { return false }
        let first = (0..<9).reduce(0) { $0 + digits[$1] * ($1 + 1) } % 11 % 10
        let second = (0..<10).reduce(0) { $0 + digits[$1] * $1 } % 11 % 10
        return digits[9] == first && digits[10] == second
    }

    @Test func thereAreAllKindsOfPeople() async throws {
        let records = try await records(seed: 1, patients: 2_000)
        let generated = records.dropFirst(18)
        let phones = generated.map(phones)
        func digits(_ text: String) -> Int { text.filter(\.isNumber).count }
        for count in 0...3 { #expect(phones.contains { $0.count == count }, "\(count) phones") }
        let all = phones.flatMap(\.self)
        #expect(all.contains { digits($0) == 11 && $0.hasPrefix("(") })
        #expect(all.contains { digits($0) == 10 && "6789".contains(Array($0)[5]) }, "an old mobile")
        #expect(all.contains { digits($0) == 10 && "2345".contains(Array($0)[5]) }, "a landline")
        #expect(all.contains { $0.hasPrefix("+351") })
        #expect(Set(all.filter { $0.hasPrefix("(") }.map { $0.prefix(4) }).count > 5)
        let sharing = Dictionary(grouping: phones.compactMap(\.first)) { $0 }.mapValues(\.count)
        #expect(sharing.values.contains(4))
        let names = generated.compactMap { $0["nomeCompleto"]?.string }
        for part in ["ã", "'", " da ", " dos "] { #expect(names.contains { $0.contains(part) }) }
        let markers = ["Teste", "Exemplo", "Amostra", "Fictício"]
        #expect(names.allSatisfy { name in markers.contains { name.contains($0) } })
        func lacking(_ value: (JSONValue) -> JSONValue?) -> Int {
            generated.filter { (value($0)?.string ?? "").isEmpty }.count
        }
        for count in [lacking { $0["contatos"]?["email"] }, lacking { $0["dataNascimento"] }] {
            #expect(count > 50 && count < 1_000)
        }
        let hosts = Set(generated.compactMap { $0["contatos"]?["email"]?.string?.split(separator: "@").last })
        #expect(hosts == ["example.test", "example.com"])
    }
}
