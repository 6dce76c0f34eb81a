import Bridge
import ClientContract
import Testing
import UpstreamDriver

@Suite(.timeLimit(.minutes(1))) struct UpdateTests {
    private func clinic(_ capabilities: Capabilities = .model(), id onlyID: Bool = false) throws -> ModelClinic {
        let clinic = ModelClinic(
            [
                Person(
                    id: "a/1", name: "Ana Teste", phones: [try phone("5511988887777")], cpf: try cpf(1),
                    email: "ana@example.test")
            ], capabilities)
        if onlyID { clinic.set { $0.change = .id } }
        return clinic
    }

    private func update(_ clinic: ModelClinic, _ patch: ClientPatch, _ id: String = "a/1") async throws -> Client {
        try await Bridge(driver: clinic, options: BridgeOptions()).update(ClientID(id), patch, soon())
    }

    @Test("what the patch names changes, the rest stays", arguments: [true, false])
    func changes(_ onlyID: Bool) async throws {
        let clinic = try clinic(id: onlyID)
        let client = try await update(clinic, ClientPatch(name: "Ana Exemplo", birthday: Birthday("1985-03-15")))
        #expect(client.name == "Ana Exemplo")
        #expect(client.birthday?.iso == "1985-03-15")
        #expect(client.email == "ana@example.test")
        #expect(client.cpf == (try cpf(1)))
        #expect(clinic.calls == (onlyID ? [.update, .client("a/1")] : [.update]))
    }

    @Test("an empty patch reads the client and changes nothing")
    func empty() async throws {
        let clinic = try clinic()
        #expect(try await update(clinic, ClientPatch()).name == "Ana Teste")
        #expect(clinic.calls == [.client("a/1")])
    }

    @Test("members that the system cannot change are refused before anything is sent")
    func unchangeable() async throws {
        let clinic = try clinic(.model(unchangeable: [.cpf, .birthday]))
        let error = await failure { try await update(clinic, ClientPatch(name: "Ana Exemplo", cpf: try cpf(2))) }
        #expect(error?.code == .unsupported)
        #expect(error?.detail?.hasSuffix("cannot change: cpf") == true)
        #expect(clinic.calls.isEmpty)
    }

    @Test(
        "a member that was silently ignored is an error that names it",
        arguments: [ClientField.name, .email, .cpf, .birthday], [true, false])
    func ignored(_ field: ClientField, _ onlyID: Bool) async throws {
        let clinic = try clinic(id: onlyID)
        clinic.set { $0.ignoredByChange = [field] }
        let patch = ClientPatch(
            name: "Ana Exemplo", email: "nova@example.test", cpf: try cpf(2), birthday: Birthday("1985-03-15"))
        let error = await failure { try await update(clinic, patch) }
        #expect(error?.code == .refused)
        #expect(error?.detail?.contains("did not keep: \(field.wireName).") == true)
    }

    @Test("a system's own spelling of what was sent is no refusal")
    func spelling() async throws {
        let clinic = ModelClinic(
            [Person(id: "a/1", name: "JOSE  EXEMPLO", email: "JOSE@EXAMPLE.TEST")], .model())
        clinic.set { $0.ignoredByChange = [.name, .email] }
        let client = try await update(clinic, ClientPatch(name: "José Exemplo", email: "jose@example.test"))
        #expect(client.name == "JOSE  EXEMPLO")
        let other = await failure { try await update(clinic, ClientPatch(name: "Josa Exemplo")) }
        #expect(other?.code == .refused)
    }

    @Test("where reads lag, what was accepted holds")
    func stale() async throws {
        let clinic = try clinic(.model(staleReads: .seconds(300)), id: true)
        clinic.set { $0.ignoredByChange = [.name, .email] }
        let client = try await update(clinic, ClientPatch(name: "Ana Exemplo", email: "nova@example.test"))
        #expect(client.name == "Ana Exemplo")
        #expect(client.email == "nova@example.test")
        #expect(client.cpf == (try cpf(1)))
    }

    @Test("nobody by that id is 404; a change that cannot be read back is not")
    func missing() async throws {
        let clinic = try clinic(id: true)
        #expect(
            await failure { try await update(clinic, ClientPatch(name: "Ana Exemplo"), "b") }?.code == .noSuchClient)
        clinic.set { $0.invisible = ["a/1"] }
        let hidden = await failure { try await update(clinic, ClientPatch(name: "Ana Exemplo")) }
        #expect(hidden?.code == .upstreamMalformed)
        #expect(hidden?.detail?.contains("accepted the change") == true)
        clinic.set { state in
            state.invisible = []
            state.detailFailure = .timeout
        }
        let late = await failure { try await update(clinic, ClientPatch(name: "Ana Exemplo")) }
        #expect(late?.code == .deadline)
        #expect(late?.detail?.contains("accepted the change") == true)
    }

    @Test("another client than the one asked for is never passed on")
    func another() async throws {
        let clinic = try clinic()
        clinic.set { state in
            state.change = .other("b")
            state.spelledIDs = ["a/1": "b"]
        }
        #expect(await failure { try await update(clinic, ClientPatch(name: "Ana Teste")) }?.code == .upstreamMalformed)
        #expect(await failure { try await update(clinic, ClientPatch()) }?.code == .upstreamMalformed)
    }
}
