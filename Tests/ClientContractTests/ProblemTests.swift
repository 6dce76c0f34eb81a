import ClientContract
import JSONBytes
import Testing

private func problem(_ error: ContractError, _ id: String = "req-1") throws -> JSONValue {
    try JSONDocument(error.problem(requestID: id)).root
}

@Suite struct Problems {
    @Test(arguments: ContractError.Code.allCases)
    func hasTheShapeOfRFC9457(_ code: ContractError.Code) throws {
        let root = try problem(ContractError(code))
        #expect(root["type"]?.string == "urn:ponte:problem:\(code.rawValue)")
        #expect(root["title"]?.string == code.title)
        #expect(root["status"]?.int == code.status)
        #expect(root["code"]?.string == code.rawValue)
        #expect(root["requestId"]?.string == "req-1")
        #expect(root["detail"] == nil && root["errors"] == nil && root["reasons"] == nil && root["clients"] == nil)
        #expect((root["outcome"]?.string == "unknown") == (code == .outcomeUnknown))
        // Nothing is written twice.
        let names = root.members.map(\.key)
        #expect(Set(names).count == names.count)
    }

    @Test(arguments: [
        (ContractError.Code.invalidInput, 400), (.unknownKey, 401), (.otherTenant, 403), (.noSuchClient, 404),
        (.noSuchRoute, 404), (.methodNotAllowed, 405), (.duplicate, 409), (.wrongPerson, 409),
        (.keyInUse, 409), (.bodyTooLarge, 413),
        (.unsupportedMediaType, 415),
        (.refused, 422), (.keyReused, 422), (.rateLimited, 429), (.headersTooLarge, 431), (.internalError, 500),
        (.unsupported, 501),
        (.upstreamFailed, 502),
        (.upstreamUnreachable, 502), (.upstreamMalformed, 502), (.upstreamCredentials, 502), (.storageFailed, 503),
        (.saturated, 503), (.circuitOpen, 503),
        (.tooManyConnections, 503),
        (.shuttingDown, 503), (.deadline, 504), (.outcomeUnknown, 504),
    ])
    func statuses(_ code: ContractError.Code, _ status: Int) {
        #expect(code.status == status)
    }

    @Test func codesAndTitlesAreDistinct() {
        let codes = ContractError.Code.allCases
        #expect(Set(codes.map(\.rawValue)).count == codes.count)
        #expect(Set(codes.map(\.title)).count == codes.count)
    }

    @Test func saysWhatHappened() throws {
        let error = ContractError(
            .duplicate, "two records fit",
            faults: [ContractError.Fault("/cpf", "is taken"), ContractError.Fault(query: "limit", "is odd")],
            conflicting: [ClientID("7"), ClientID("00012")], reasons: ["CPF já cadastrado", "outro"], retryAfter: 3)
        let root = try problem(error)
        #expect(root["detail"]?.string == "two records fit")
        #expect(root["clients"]?.elements.compactMap(\.string) == ["7", "00012"])
        #expect(root["reasons"]?.elements.compactMap(\.string) == ["CPF já cadastrado", "outro"])
        let errors = root["errors"]?.elements ?? []
        #expect(errors.map { $0["pointer"]?.string } == ["/cpf", nil])
        #expect(errors.map { $0["parameter"]?.string } == [nil, "limit"])
        #expect(errors.map { $0["message"]?.string } == ["is taken", "is odd"])
    }

    @Test func anythingMayStandInItsTexts() throws {
        let nasty = "\"}],\\\u{0}\u{1F}\r\n</script>\u{2028}😀\u{7F}"
        let error = ContractError(
            .refused, nasty, faults: [ContractError.Fault(nasty, nasty), ContractError.Fault(query: nasty, nasty)],
            conflicting: [ClientID(nasty)], reasons: [nasty, ""])
        let root = try problem(error, nasty)
        #expect(root["detail"]?.string == nasty)
        #expect(root["requestId"]?.string == nasty)
        #expect(root["clients"]?.elements.first?.string == nasty)
        #expect(root["reasons"]?.elements.compactMap(\.string) == [nasty, ""])
        #expect(root["errors"]?.elements.map { $0["message"]?.string } == [nasty, nasty])
        #expect(root["errors"]?.elements.first?["pointer"]?.string == nasty)
        #expect(!error.problem(requestID: nasty).contains { $0 < 0x20 })
    }
}
