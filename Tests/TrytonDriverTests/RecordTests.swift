import ClientContract
import Foundation
import JSONBytes
import Testing
import Transport
import UpstreamDriver

@testable import TrytonDriver

/// Records as clinics without Tryton's number checking keep them, and as several people change them at once: the mock's own
/// people.
@Suite struct RecordTests {
    @Test func findsPhonesInAnySpelling() async throws {
        try await Clinic.withMock(patients: 18) { (clinic) async throws in
            // The family of four; one record holds "(31) 98888-7777", the others "+55 31 98888-7777".
            #expect(try await clinic.search("5531988887777") == ["1002", "1003", "1004", "1005"])
            // On record as "(31) 8888-0002".
            #expect(try await clinic.search("5531988880002") == ["1008"])
            #expect(try await clinic.search("351912345678") == ["1011"])
            #expect(try await clinic.search("+1 (202) 555-0123") == ["1012"])
        }
    }

    @Test func findsCPFsInAnySpelling() async throws {
        try await Clinic.withMock(patients: 18) { clinic in
            for (id, spelling) in [("1002", "punctuated"), ("1003", "digits")] {
                let client = try await clinic.bridge.client(ClientID(id), clinic.context)
                let cpf = try #require(client.cpf, "\(spelling)")
                #expect(try await clinic.search(cpf.punctuated) == [id])
            }
            // Eleven digits that are one's phone and another's CPF.
            let eva = try await clinic.bridge.client(ClientID("1016"), clinic.context)
            #expect(Set(try await clinic.search(try #require(eva.cpf).digits)) == ["1015", "1016"])
        }
    }

    @Test func showsPhotosInRecordsOnly() async throws {
        try await Clinic.withMock(patients: 3) { clinic in
            let joao = try await clinic.bridge.client(ClientID("1001"), clinic.context)
            let image = try #require(joao.text(.image))
            #expect(image.hasPrefix("data:image/png;base64,iVBORw0KGgo"))
            let data = try #require(Data(base64Encoded: String(image.dropFirst("data:image/png;base64,".count))))
            #expect(data.starts(with: [0x89, 0x50, 0x4E, 0x47]))
            #expect(try await clinic.list().allSatisfy { !$0.has(.image) })
            #expect(clinic.driver.capabilities.needsDetail == [.image])
            #expect(joao.allPhones.map(\.digits) == ["5511999999999", "5521999999999"])
        }
    }

    @Test func pagesThroughManyRecords() async throws {
        try await Clinic.withMock(patients: 450) { (clinic) async throws in
            #expect(try await clinic.list().map(\.id.text) == (1_001...1_450).map(String.init))
            #expect(clinic.mock?.requests.count(.list) == 3)
        }
    }

    @Test func anUpdateAsksTwiceAndWritesOnce() async throws {
        try await Clinic.withMock(patients: 18) { clinic in
            let mock = try #require(clinic.mock)
            let answer = try await clinic.driver.update(
                ClientID("1002"), ClientPatch(name: "Maria Exemplo Nova", email: "nova@example.test"), clinic.context)
            guard case .id(ClientID("1002")) = answer else {
                Issue.record("expected the id")
                return
            }
            #expect(mock.requests.count(.get) == 1)
            #expect(mock.requests.count(.update) == 1)
            let sent = try JSONDocument(try #require(mock.requests.last(.update)).body).root["params"]?.elements ?? []
            #expect(Set(sent[1].members.map(\.key)) == ["name", "lastname", "contact_mechanisms"])
            #expect(sent[2]["_timestamp"]?["party.party,1002"]?.string != nil)
        }
    }

    /// Sends its first write only after somebody else has changed the record.
    private final class SlowWriter: HTTPSending {
        let http: HTTPChannel
        let changes: Int
        let meanwhile: @Sendable (Int) async -> Void
        private let script: Script

        init(_ http: HTTPChannel, changes: Int, meanwhile: @escaping @Sendable (Int) async -> Void) {
            (self.http, self.changes, self.meanwhile) = (http, changes, meanwhile)
            script = Script { _, _ in .json("{}") }
        }

        func send(
            _ request: OutboundRequest, deadline: ContinuousClock.Instant
        ) async throws(TransportError) -> UpstreamAnswer {
            if request.text.contains("party.write") {
                _ = try await script.send(request, deadline: deadline)
                if script.requests.count <= changes { await meanwhile(script.requests.count) }
            }
            return try await http.send(request, deadline: deadline)
        }
    }

    @Test(arguments: [1, 2]) func losesNoChangeOfSomebodyElse(_ changes: Int) async throws {
        try await Clinic.withMock(patients: 18) { clinic in
            let writer = SlowWriter(clinic.channel, changes: changes) { number in
                let patch = ClientPatch(email: "recepcao\(number)@example.test")
                _ = try? await clinic.driver.update(ClientID("1002"), patch, clinic.context)
            }
            let slow = TrytonDriver(clinic: clinic.settings, http: writer)
            let patch = ClientPatch(birthday: Birthday("1999-09-09"))
            let told = await failure { _ = try await slow.update(ClientID("1002"), patch, clinic.context) }
            // Read and written once more; then the caller may do so. Nothing collides.
            #expect(told?.name == (changes == 1 ? nil : "failed"))
            #expect(told?.description.contains("may be sent again") != false)
            let client = try await clinic.bridge.client(ClientID("1002"), clinic.context)
            #expect(client.email == "recepcao\(changes)@example.test")
            #expect((client.birthday?.iso == "1999-09-09") == (changes == 1))
        }
    }

    @Test func asksOncePerSearch() throws {
        let driver = Script { _, _ in .sessionUnknown }.driver()
        let terms = SearchTerm.readings(of: "51987654321", as: .phone)
        #expect(terms.count == 2)
        // Peru and Porto Alegre end alike.
        #expect(Set(terms.map { driver.question(for: $0, attempt: 0) }).count == 1)
        #expect(driver.question(for: .name("Ana"), attempt: 0) != driver.question(for: .name("Bia"), attempt: 0))
    }

    @Test func namesArePartedWhereTheClinicPartedThem() {
        func parted(_ name: String, _ given: String? = nil, _ family: String? = nil) -> [String?] {
            let split = PersonNames.split(name, keeping: given, family)
            return [split.given, split.family]
        }
        #expect(parted("Ana") == ["Ana", nil])
        #expect(parted(" Ana   Maria  Souza ") == ["Ana", "Maria Souza"])
        #expect(parted("Ana Maria Souza", "ANA MARIA") == ["Ana Maria", "Souza"])
        #expect(parted("Ana Maria", "Ana Maria") == ["Ana Maria", nil])
        #expect(parted("Ana Maria Souza", "Bia") == ["Ana", "Maria Souza"])
        #expect(parted("Anamaria Souza", "Ana Maria") == ["Anamaria", "Souza"])
        #expect(parted("Anna Maria Souza", "Ana Maria", "Souza") == ["Anna Maria", "Souza"])
        #expect(parted("Anna Maria Lima", "Ana Maria", "Souza") == ["Anna", "Maria Lima"])
        #expect(PersonNames.joined(given: " Ana ", family: "") == "Ana")
        #expect(PersonNames.joined(given: "Ana", family: " Souza") == "Ana Souza")
    }
}
