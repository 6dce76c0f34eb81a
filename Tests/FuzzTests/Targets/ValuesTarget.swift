@testable import ClientContract
@testable import Transport

/// What people write: phones, CPFs, days, addresses and names, each read from any text. What is read and written again
/// reads the same, equality is an equivalence, and a client made of a term is found by it.
func fuzzValues(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    phones(text, area: Int(bytes.first ?? 0) - 20)
    cpf(text, bytes)
    birthday(text)
    texts(text)
    terms(text)
    addresses(text)
}

private func phones(_ text: String, area: Int) {
    var numbers: [PhoneNumber] = []
    for source in [PhoneContext.Source.record, .caller] {
        for areaCode in [nil, 11, area] {
            let context = PhoneContext(areaCode: areaCode, source: source)
            let all = PhoneNumber.all(in: text, context: context)
            check(zip(all.indices, all).allSatisfy { all.firstIndex(of: $1) == $0 }, "each number is there once")
            numbers += all + [PhoneNumber(text, context: context)].compactMap { $0 }
            if let whole = PhoneNumber(text, context: context, whole: true) {
                check(PhoneNumber(text, context: context)?.e164 == whole.e164, "a whole number is a number")
            }
        }
    }
    for number in numbers { lawful(number) }
    // Few are enough: the law is about three.
    for a in numbers.prefix(8) {
        for b in numbers.prefix(8) {
            check((a == b) == (b == a), "equality is symmetric")
            check((a == b) == (a.line == b.line), "equal numbers are one line")
            check(a != b || a.hashValue == b.hashValue, "equal numbers have one hash")
            for c in numbers.prefix(8) where a == b && b == c { check(a == c, "equality is transitive") }
        }
    }
}

private func lawful(_ number: PhoneNumber) {
    check((7...15).contains(number.digits.utf8.count), "a number has 7 to 15 digits")
    check(number == number && PhoneNumber("+" + number.digits)?.e164 == number.e164, "a written number reads back")
    check(number.isBrazilian == (number.national != nil), "a Brazilian number has a national one")
    if let masked = number.masked {
        check(PhoneNumber(masked)?.e164 == number.e164, "a punctuated number reads back")
    }
    if let national = number.national, let area = number.areaCode, let subscriber = number.subscriber {
        check(area + subscriber == national, "area code and subscriber are the number")
        check(PhoneNumber(national)?.e164 == number.e164, "a national number reads back")
    }
    if let twin = number.ninthDigitTwin {
        check(twin == number && twin.e164 != number.e164, "a twin is the same line")
        check(twin.ninthDigitTwin?.e164 == number.e164, "a twin's twin is the number")
    }
}

private func cpf(_ text: String, _ bytes: [UInt8]) {
    if let cpf = CPF(text) {
        check(cpf.digits.utf8.count == 11 && CPF(cpf.digits) == cpf, "a CPF's digits read back")
        check(cpf.punctuated.utf8.count == 14 && CPF(cpf.punctuated) == cpf, "a punctuated CPF reads back")
        check(!(cpf.isPlaceholder && cpf.hasValidCheckDigits), "a filler has no valid check digits")
    }
    if let padded = bytes.withUnsafeBufferPointer({ CPF(utf8: $0, padding: true) }) {
        check(CPF(padded.digits) == padded, "a padded CPF reads back")
    }
}

private func birthday(_ text: String) {
    guard let day = Birthday(text) else { return }
    check(Array(day.iso.utf8) == Array(text.utf8) && Birthday(day.iso) == day, "a day reads back")
}

private func texts(_ text: String) {
    let trimmed = PersonText.trimmed(text)
    check(Array(PersonText.trimmed(trimmed).utf8) == Array(trimmed.utf8), "what is trimmed stays")
    let composed = PersonText.composed(text)
    check(composed == text, "a composed text is the same text")
    check(Array(PersonText.composed(composed).utf8) == Array(composed.utf8), "what is composed stays")
    let name = PersonText.nameKey(text)
    check(PersonText.nameKey(name) == name, "a name's key is its own")
    check(PersonText.nameKey(" " + text + "\n") == name, "blanks around a name do not count")
    let email = PersonText.emailKey(text)
    check(PersonText.emailKey(email) == email, "an address's key is its own")
    if PersonText.isEmail(trimmed) { check(!PersonText.hasControls(trimmed), "an address has no controls") }
}

private func terms(_ text: String) {
    for kind in TermKind.allCases {
        for areaCode in [nil, 21] {
            let context = PhoneContext(areaCode: areaCode)
            let readings = SearchTerm.readings(of: text, as: kind, context: context)
            check(readings.count <= (kind == .phone ? 2 : 1), "only a phone has two readings")
            check(Set(readings).count == readings.count, "readings differ")
            let likeliest = SearchTerm(text, as: kind, context: context)
            check(likeliest == nil || readings.first == likeliest, "the likeliest is the first")
            for term in readings {
                check(term.kind == kind, "a term is of its kind")
                check(term.matches(client(of: term)), "a client made of a term is found by it")
            }
        }
    }
}

private func client(of term: SearchTerm) -> Client {
    let id = ClientID("1")
    let client =
        switch term {
        case .phone(let phone): Client(id: id, name: "Ana Teste", phones: [phone])
        case .cpf(let cpf): Client(id: id, name: "Ana Teste", cpf: cpf)
        case .email(let email): Client(id: id, name: "Ana Teste", email: email)
        case .name(let name): Client(id: id, name: name)
        }
    readsBack(client)
    return client
}

/// Addresses and networks of the configuration and of `X-Forwarded-For`.
private func addresses(_ text: String) {
    if let address = IPAddress(text) {
        check(text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "an address is read whole")
        check(address.unmapped.unmapped == address.unmapped, "what is unmapped stays")
        check(AddressRange(address).contains(address) && AddressRange(text) != nil, "an address is a network of one")
    }
    if let range = AddressRange(text) {
        check(text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "a network is read whole")
        check(range.contains(range.address) && range.contains(range), "a network holds itself")
    }
    _ = IPAddress(hostOf: text)
}
