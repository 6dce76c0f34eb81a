import ClientContract
import Testing

/// The faults that a body is refused with, as `pointer message`.
private func faults(_ read: () throws(ContractError) -> Void) -> [String] {
    do {
        try read()
        return []
    } catch {
        #expect(error.code == .invalidInput)
        return error.faults.map { "\($0.pointer ?? "-") \($0.message)" }
    }
}
private func draftFaults(_ body: String, _ rules: InputRules = InputRules()) -> [String] {
    faults { () throws(ContractError) in _ = try ClientDraft(body: utf8(body), rules: rules) }
}
private func patchFaults(_ body: String, _ rules: InputRules = InputRules()) -> [String] {
    faults { () throws(ContractError) in _ = try ClientPatch(body: utf8(body), rules: rules) }
}
private func draft(with members: String) -> String { #"{"name":"Ana Teste","phone":"5511999999999"\#(members)}"# }

@Suite struct Drafts {
    @Test func theContractsExampleAsPrinted() throws {
        let body = """
            {
            "name": "Maria Silva Santos",
            "phone": "5511999999999",
            "email": "maria.silva@example.com",
            "birthday": "1985-03-15",
            "cpf": "12345678900",
            "healthInsurance": "conv123",
            "location": "loc456"
            }
            """
        let draft = try ClientDraft(body: utf8(body))
        #expect(draft.name == "Maria Silva Santos")
        #expect(draft.phone.digits == "5511999999999")
        #expect(draft.email == "maria.silva@example.com")
        #expect(draft.birthday?.iso == "1985-03-15")
        #expect(draft.cpf?.digits == "12345678900")
        #expect(draft.healthInsurance == "conv123")
        #expect(draft.location == "loc456")
        #expect(draft.ignored.isEmpty)
    }

    @Test func theLeastAndThePhoneAsName() throws {
        let draft = try ClientDraft(body: utf8(#"{"phone":"5511999999999","name":"5511999999999"}"#))
        #expect(draft == ClientDraft(name: "5511999999999", phone: try #require(PhoneNumber("5511999999999"))))
        #expect(draft.email == nil && draft.birthday == nil && draft.cpf == nil)
        #expect(draft.healthInsurance == nil && draft.location == nil)
    }

    @Test func nullAndBlankAreAbsent() throws {
        let members = #","email":null,"birthday":"","cpf":"  ","healthInsurance":null,"location":" \n""#
        let given = try ClientDraft(body: utf8(draft(with: members)))
        #expect(given == (try ClientDraft(body: utf8(draft(with: "")))))
        #expect(given.ignored.isEmpty)
    }

    @Test func unknownMembersAreCountedByNameAndNoMore() throws {
        let given = try ClientDraft(
            body: utf8(draft(with: #","externalId":"ext123","tags":[{"a":1}],"Name":7,"tags":null"#)))
        #expect(given.ignored.counts == ["externalId": 1, "tags": 2, "other": 1])
        #expect(given == (try ClientDraft(body: utf8(draft(with: "")))))
    }

    /// Whatever could be a person's is not shown.
    @Test(arguments: [
        ("external_id2", "external_id2"), ("_x", "_x"), ("plano123", "plano123"),
        (String(repeating: "a", count: 40), String(repeating: "a", count: 40)), ("other", "other"),
        (String(repeating: "a", count: 41), "other"), ("", "other"), ("Ana Teste", "other"), ("joão", "other"),
        ("ana@example.test", "other"), ("5511999999999", "other"), ("tel5511999999999", "other"), ("a1234", "other"),
        ("cpf_123_456_789_00", "other"), ("1a", "other"), ("a-b", "other"), ("a.b", "other"), ("a\\nb", "other"),
    ])
    func namesThatCouldBeDataAreNotShown(_ name: String, _ shown: String) throws {
        let given = try ClientDraft(body: utf8(draft(with: #","\#(name)":1"#)))
        #expect(given.ignored.counts == [shown: 1])
        #expect(try ClientPatch(body: utf8(#"{"\#(name)":1}"#)).ignored.counts == [shown: 1])
    }

    @Test func namesAreNotWithoutEnd() throws {
        let members = (0..<40).map { #","member\#($0)":1"# }.joined() + #","member0":2"#
        let given = try ClientDraft(body: utf8(draft(with: members)))
        #expect(given.ignored.counts.count == IgnoredMembers.mostNames + 1)
        #expect(given.ignored.counts["other"] == 40 - IgnoredMembers.mostNames)
        #expect(given.ignored.counts["member0"] == 2)
    }

    @Test func whiteSpaceAroundValuesGoes() throws {
        let given = try ClientDraft(
            body: utf8(#"{"name":" Ana  Teste\n","phone":" +55 (11) 99999-9999 ","cpf":"123.456.789-00\t"}"#))
        #expect(given.name == "Ana  Teste")
        #expect(given.phone.digits == "5511999999999")
        #expect(given.cpf?.digits == "12345678900")
    }

    @Test func escapesAndBothUnicodeForms() throws {
        let given = try ClientDraft(body: utf8(#"{"n\u0061me":"Jo\u00e3o \"\ud83d\ude00\"","phone":"5511999999999"}"#))
        #expect(given.name == "João \"😀\"")
        #expect(given.name == "Joa\u{303}o \"😀\"")
    }

    @Test(arguments: [
        (#"{}"#, ["/name is required", "/phone is required"]),
        (#"{"name":null,"phone":null}"#, ["/name is required", "/phone is required"]),
        (#"{"name":" ","phone":""}"#, ["/name is blank", "/phone is blank"]),
        (
            #"{"name":7,"phone":5511999999999,"email":true,"birthday":[],"cpf":12345678900,"healthInsurance":{},"location":1}"#,
            ["name", "phone", "email", "birthday", "cpf", "healthInsurance", "location"].map {
                "/\($0) must be a string"
            }
        ),
        (
            #"{"name":"Ana\u0007","phone":"123","email":"ana","birthday":"1985-02-30","cpf":"1234567890"}"#,
            [
                "/name holds control characters",
                "/phone is not a phone number: send it with country and area code",
                "/email is not an e-mail address", "/birthday is not a day written YYYY-MM-DD",
                "/cpf is not eleven digits",
            ]
        ),
        (#"{"name":"Ana\u0000","phone":"5511999999999\u0000"}"#, ["/name is not text", "/phone is not text"]),
        (#"{"name":"Ana \ud800","phone":"5511999999999"}"#, ["/name is not text"]),
        (#"{"name":"Ana\u0085B","phone":"5511999999999"}"#, ["/name holds control characters"]),
        (#"{"name":"Ana","name":"Bruno","phone":"5511999999999"}"#, ["/name is given more than once"]),
        (#"{"name":"Ana","n\u0061me":"Ana","phone":"5511999999999"}"#, ["/name is given more than once"]),
        (
            #"{"name":"Ana","phone":"5511999999999 ramal 3"}"#,
            ["/phone is not a phone number: send it with country and area code"]
        ),
        (
            #"{"name":"Ana","phone":"5511999999999,5511988887777"}"#,
            ["/phone is not a phone number: send it with country and area code"]
        ),
        (#"[]"#, [" must be a JSON object"]), (#""a""#, [" must be a JSON object"]),
        (#"null"#, [" must be a JSON object"]),
    ])
    func everyFaultIsListed(_ body: String, _ expected: [String]) {
        #expect(draftFaults(body) == expected)
    }

    @Test(arguments: ["", " ", "{", #"{"name":}"#, "name=Ana", #"{"name":"Ana",}"#, "{}{}", "\u{FEFF}{}", "<html>"])
    func whatIsNotJSONSaysSoOnce(_ body: String) throws {
        let found = draftFaults(body)
        #expect(found.count == 1)
        #expect(try #require(found.first).hasPrefix(" is not JSON: "))
    }

    @Test func nestingIsBounded() {
        let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        #expect(draftFaults(draft(with: #","x":\#(deep)"#)).first?.contains("nest too deeply") == true)
    }

    @Test(arguments: ["name", "phone", "email", "birthday", "cpf", "healthInsurance", "location"])
    func aMegabyteIsTooLong(_ member: String) {
        let body = #"{"\#(member)":"\#(String(repeating: "1", count: 1 << 20))"}"#
        #expect(draftFaults(body).contains { $0.hasPrefix("/\(member) is longer than ") })
    }

    @Test func theLongestNameIsCountedInCharacters() {
        let fits = String(repeating: "é", count: 500)
        #expect(draftFaults(#"{"name":"\#(fits)","phone":"5511999999999"}"#) == [])
        #expect(
            draftFaults(#"{"name":"\#(fits)a","phone":"5511999999999"}"#) == ["/name is longer than 500 characters"])
    }

    @Test func checkDigitsAreAChoice() {
        let strict = InputRules(cpfCheckDigits: true)
        let message = "/cpf is not a CPF with valid check digits"
        #expect(draftFaults(draft(with: #","cpf":"12345678900""#)) == [])
        #expect(draftFaults(draft(with: #","cpf":"12345678900""#), strict) == [message])
        #expect(draftFaults(draft(with: #","cpf":"12345678909""#), strict) == [])
        #expect(patchFaults(#"{"cpf":"12345678900"}"#, strict) == [message])
        #expect(patchFaults(#"{"cpf":"12345678909"}"#, strict) == [])
    }

    @Test func theClinicsAreaCodeCompletesThePhone() throws {
        let rules = InputRules(phones: PhoneContext(areaCode: 48))
        let given = try ClientDraft(body: utf8(#"{"name":"Ana","phone":"99999-9999"}"#), rules: rules)
        #expect(given.phone.digits == "5548999999999")
    }

    @Test func faultsHoldNothingOfTheBody() {
        let body =
            #"{"name":"Ana Segredo\u0001","phone":"segredo","email":"segredo","birthday":"segredo","cpf":"segredo"}"#
        do {
            _ = try ClientDraft(body: utf8(body))
            Issue.record("accepted")
        } catch {
            #expect(error.faults.count == 5)
            #expect(!"\(error) \(String(reflecting: error))".lowercased().contains("segredo"))
            #expect(!String(decoding: error.problem(requestID: "r"), as: UTF8.self).lowercased().contains("segredo"))
        }
    }

    @Test func draftsWithTheSameLineAreEqual() throws {
        let a = try ClientDraft(body: utf8(#"{"name":"Ana","phone":"5531988887777"}"#))
        let b = try ClientDraft(body: utf8(#"{"name":"Ana","phone":"553188887777"}"#))
        let c = try ClientDraft(body: utf8(#"{"name":"Ana","phone":"553188887777","location":"l"}"#))
        #expect(a == b)
        #expect(a != c)
    }
}

@Suite struct Patches {
    @Test func theContractsExampleAsPrinted() throws {
        let body = """
            {
            "name": "Maria Silva Santos Oliveira",
            "email": "maria.oliveira@example.com",
            "cpf": "12345678900",
            "birthday": "1985-03-15"
            }
            """
        let patch = try ClientPatch(body: utf8(body))
        #expect(
            patch
                == ClientPatch(
                    name: "Maria Silva Santos Oliveira", email: "maria.oliveira@example.com", cpf: CPF("12345678900"),
                    birthday: Birthday("1985-03-15")))
        #expect(!patch.isEmpty)
    }

    @Test func whatIsNotNamedIsNil() throws {
        let patch = try ClientPatch(body: utf8(#"{"email":"ana@example.test","healthInsurance":"7","externalId":1}"#))
        #expect(patch.name == nil && patch.cpf == nil && patch.birthday == nil)
        #expect(patch.email == "ana@example.test")
        #expect(patch.ignored.counts == ["healthInsurance": 1, "externalId": 1])
        let empty = try ClientPatch(body: utf8("{}"))
        #expect(empty.isEmpty)
        #expect(empty == ClientPatch())
    }

    @Test(arguments: [
        (
            #"{"name":null,"cpf":null}"#,
            [
                "/name is null: leave it out to keep what is on record; nothing can be cleared",
                "/cpf is null: leave it out to keep what is on record; nothing can be cleared",
            ]
        ),
        (
            #"{"name":" ","email":"","cpf":"","birthday":""}"#,
            ["/name is blank", "/email is blank", "/cpf is blank", "/birthday is blank"]
        ),
        (
            #"{"phone":"5511999999999","allPhones":[]}"#,
            [
                "/phone cannot be changed: the contract's update has no phone",
                "/allPhones cannot be changed: the contract's update has no phone",
            ]
        ),
        (#"{"phone":null}"#, ["/phone cannot be changed: the contract's update has no phone"]),
        (#"{"email":"a@b","email":"a@b"}"#, ["/email is given more than once"]),
        (
            #"{"cpf":12345678900,"birthday":"15/03/1985"}"#,
            ["/cpf must be a string", "/birthday is not a day written YYYY-MM-DD"]
        ),
        (#"[{}]"#, [" must be a JSON object"]),
    ])
    func everyFaultIsListed(_ body: String, _ expected: [String]) {
        #expect(patchFaults(body).sorted() == expected.sorted())
    }
}

@Suite struct Windows {
    @Test func readsDecimalDigits() throws {
        #expect(try Window(limit: [], offset: []) == Window())
        #expect(try Window(limit: ["10"], offset: ["20"]) == Window(limit: 10, offset: 20))
        #expect(try Window(limit: ["0"], offset: ["0"]) == Window(limit: 0, offset: 0))
        #expect(try Window(limit: ["007"], offset: []) == Window(limit: 7, offset: 0))
        #expect(
            try Window(limit: ["1000000000"], offset: ["1000000000"])
                == Window(limit: 1_000_000_000, offset: 1_000_000_000))
    }

    @Test(arguments: [
        "", " ", "-1", "+1", "1.0", "1e3", "0x10", "abc", "1 ", " 1", "١", "１", "1000000001", "9999999999",
        "99999999999999999999",
        "1_000", "null", "1\u{0}", "1&offset=2",
    ])
    func refusesTheRest(_ text: String) {
        do {
            _ = try Window(limit: [text], offset: [text])
            Issue.record("accepted")
        } catch {
            #expect(error.code == .invalidInput)
            #expect(error.faults.map(\.parameter) == ["limit", "offset"])
            #expect(error.faults.allSatisfy { $0.pointer == nil })
        }
    }

    @Test func eachIsGivenOnce() {
        let error = #expect(throws: ContractError.self) { try Window(limit: ["1", "1"], offset: ["2"]) }
        #expect(error?.faults == [ContractError.Fault(query: "limit", "is given more than once")])
    }
}
