import ClientContract
import Testing

/// Holds a value, as any other type might.
private struct Holder<Value> {
    let held: Value
    let list: [Value]
    let maybe: Value?
    let named: [String: Value]
    let pair: (Value, Int)
}

/// Everything that printing a value can give.
private func prints<Value>(_ value: Value) -> String {
    let holder = Holder(held: value, list: [value], maybe: value, named: ["a": value], pair: (value, 1))
    var text = "\(value) \([value]) \(Optional(value) as Any) \((value, value)) \(["a": value]) \(holder)"
    text +=
        String(describing: value) + String(reflecting: value) + String(reflecting: [value]) + String(reflecting: holder)
    dump(value, to: &text)
    dump(holder, to: &text)
    dump([value], to: &text)
    debugPrint(value, holder, to: &text)
    print(value, holder, to: &text)
    var mirrors: [Mirror] = [Mirror(reflecting: value), Mirror(reflecting: holder)]
    while let mirror = mirrors.popLast() {
        for child in mirror.children {
            text += "\(child.label ?? "") \(child.value)"
            mirrors.append(Mirror(reflecting: child.value))
        }
    }
    return text
}

@Suite struct Masking {
    /// What must not be seen: of the sample below, as text and as bytes.
    private let secrets = [
        "Ana", "Segredo", "ana.segredo", "999998888", "99998", "8888", "11122233344", "111.222", "333-44", "1987",
        "1987-06-05",
        "id-4711", "foto", "[123, 34", "123\n", "convenio-9", "unidade-9", "sua nota",
    ]

    private func expectMasked<Value>(_ value: Value, _ mask: String, _ place: SourceLocation = #_sourceLocation) {
        let text = prints(value)
        for secret in secrets { #expect(!text.contains(secret), "\(secret)", sourceLocation: place) }
        #expect(text.contains(mask), sourceLocation: place)
        #expect("\(value)" == mask, sourceLocation: place)
        #expect(String(reflecting: value) == mask, sourceLocation: place)
        #expect(Mirror(reflecting: value).children.isEmpty, sourceLocation: place)
    }

    @Test func nothingPersonalIsPrinted() throws {
        let phone = try #require(PhoneNumber("5511999998888"))
        let cpf = try #require(CPF("11122233344"))
        let birthday = try #require(Birthday("1987-06-05"))
        expectMasked(phone, "phone(…)")
        expectMasked(cpf, "cpf(…)")
        expectMasked(birthday, "birthday(…)")
        expectMasked(ClientID("id-4711"), "client(…)")
        var draft = ClientDraft(
            name: "Ana Segredo", phone: phone, email: "ana.segredo@example.test", birthday: birthday, cpf: cpf,
            healthInsurance: "convenio-9", location: "unidade-9")
        draft.ignored.count("segredo")
        expectMasked(draft, "draft(…)")
        expectMasked(
            ClientPatch(name: "Ana Segredo", email: "ana.segredo@example.test", cpf: cpf, birthday: birthday),
            "patch(…)")
        expectMasked(
            Client(
                id: ClientID("id-4711"), name: "Ana Segredo", description: "sua nota", phones: [phone], cpf: cpf,
                image: "https://example.test/foto", email: "ana.segredo@example.test", birthday: birthday), "client(…)")
        expectMasked(SearchTerm.phone(phone), "phone(…)")
        expectMasked(SearchTerm.cpf(cpf), "cpf(…)")
        expectMasked(SearchTerm.email("ana.segredo@example.test"), "email(…)")
        expectMasked(SearchTerm.name("Ana Segredo"), "name(…)")
    }

    @Test func errorsPrintNeitherIDsNorReasons() {
        let error = ContractError(
            .duplicate, "two records fit",
            faults: [ContractError.Fault("/name", "is blank"), ContractError.Fault("", "is odd")],
            conflicting: [ClientID("id-4711")], reasons: ["Ana Segredo já cadastrada"])
        expectMasked(error, "duplicate: two records fit; /name is blank; the body is odd; 1 reasons; 1 clients")
        #expect("\(ContractError(.deadline))" == "deadline_passed: \(ContractError.Code.deadline.title)")
    }
}
