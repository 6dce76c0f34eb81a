import ClientContract
import Testing
import UpstreamDriver

@testable import TrytonDriver

/// What GNU Health refuses is told with its reason, and nothing is left behind. Against the mock in every run, against a
/// real GNU Health 5 in `scripts/test-gnuhealth`.
@Suite struct RefusalTests {
    @Test func aCPFWithWrongCheckDigitsIsRefusedWithTheReason() async throws {
        try await Clinic.with { clinic in
            var draft = try Person.draft("Ana Beatriz Exemplo")
            let cpf = try #require(Person.invalidCPF(Person.next()))
            draft.cpf = cpf
            let told = await contractFailure { _ = try await clinic.bridge.create(draft, clinic.context) }
            #expect(told?.code == .refused)
            let reason = try #require(told?.reasons.first)
            #expect(reason.contains("National Identifier") && reason.hasSuffix("is not valid."))
            for secret in [cpf.digits, cpf.punctuated, "Ana", "Beatriz", "Exemplo"] {
                #expect(!reason.contains(secret), "\(reason)")
            }
            // One transaction: no person without a CPF was made.
            #expect(try await clinic.search(draft.phone.digits) == [])
        }
    }

    @Test func aRefusedChangeChangesNothing() async throws {
        try await Clinic.with { clinic in
            let draft = try Person.draft("Bruno Exemplo Souza")
            let id = try await clinic.bridge.create(draft, clinic.context).id
            let patch = ClientPatch(
                name: "Outro Nome", email: "outro@example.test", cpf: Person.invalidCPF(Person.next()))
            let told = await contractFailure { _ = try await clinic.bridge.update(id, patch, clinic.context) }
            #expect(told?.code == .refused)
            let reason = try #require(told?.reasons.first)
            for secret in ["Bruno", "Souza", "Outro", "Nome", patch.cpf?.digits ?? "?"] {
                #expect(!reason.contains(secret), "\(reason)")
            }
            let client = try await clinic.bridge.client(id, clinic.context)
            #expect(client.name == draft.name && client.email == draft.email && client.cpf == draft.cpf)
        }
    }

    @Test func aDayThatCannotBeABirthdayIsRefused() async throws {
        try await Clinic.with { clinic in
            let draft = try Person.draft(birthday: "1700-01-01")
            let told = await contractFailure { _ = try await clinic.bridge.create(draft, clinic.context) }
            #expect(told?.code == .refused)
            #expect(told?.reasons.first?.contains("date of birth") == true)
        }
    }
}
