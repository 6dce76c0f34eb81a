import HTTPTypes
import JSONBytes
import NIOHTTP1
import Transport

@testable import ClientContract
@testable import Gateway

/// A caller's request, as text: its line, its fields and its body, each read by the reader that the server has for it.
func fuzzRequest(_ bytes: [UInt8]) {
    let (lines, body) = split(bytes)
    _ = RequestLine.read(bytes)
    let line = lines.first ?? ""
    var words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    words += Array(repeating: "", count: max(0, 3 - words.count))
    let fields = lines.dropFirst().compactMap { line -> (String, String)? in
        guard let colon = line.firstIndex(of: ":") else { return nil }
        let value = line[line.index(after: colon)...].drop { $0 == " " }
        return (String(line[..<colon]), String(value))
    }
    head(method: words[0], target: words[1], isOld: words[2].hasSuffix("1.0"), fields)
    identities(fields)
    bodies(body)
}

/// Head and body, at the first blank line.
private func split(_ bytes: [UInt8]) -> (lines: [String], body: [UInt8]) {
    var lines: [String] = []
    var rest = bytes[...]
    while let end = rest.firstIndex(of: 0x0A), lines.count < 64 {
        var line = rest[..<end]
        if line.last == 0x0D { line.removeLast() }
        rest = rest[(end + 1)...]
        if line.isEmpty { return (lines, Array(rest)) }
        lines.append(String(decoding: line, as: UTF8.self))
    }
    return (lines + [String(decoding: rest, as: UTF8.self)], Array(rest))
}

private func head(method: String, target: String, isOld: Bool, _ fields: [(String, String)]) {
    var head = HTTPRequestHead(
        version: isOld ? .http1_0 : .http1_1, method: HTTPMethod(rawValue: method), uri: target,
        headers: HTTPHeaders(fields))
    if RequestHead.fault(&head) == nil {
        check(head.uri.hasPrefix("/") || (head.uri == "*" && head.method == .OPTIONS), "a sound target is a path")
        check(!head.uri.contains("#"), "a sound target has no fragment")
        let codings = head.headers["transfer-encoding"]
        check(codings.isEmpty || !head.headers.contains(name: "content-length"), "a sound head has one length")
        let uri = head.uri
        if head.headers["host"].count == 1 {
            check(RequestHead.fault(&head) == nil && head.uri == uri, "a sound head stays")
        }
    }
    let path = target.prefix { $0 != "?" }
    for prefix in ["", "/api/v1"] {
        do throws(Route.Miss) {
            let route = try Route.find(method: method, path: path, prefix: prefix)
            check(["GET", "POST", "PATCH"].contains(method), "a route has a method")
            if case .client(_, .get(let raw)) = route { identifier(raw) }
            if case .client(_, .update(let raw)) = route { identifier(raw) }
        } catch {
            check([.noSuchRoute, .methodNotAllowed].contains(error.error.code), "a miss has a code")
        }
    }
    query(target.firstIndex(of: "?").map { target[target.index(after: $0)...] })
}

private func identifier(_ raw: Substring) {
    guard let id = try? PathID.read(raw) else { return }
    check(!id.text.isEmpty && id.text != "." && id.text != "..", "an id names something")
    check(id.text.unicodeScalars.count <= PathID.most && !PersonText.hasControls(id.text), "an id is plain text")
    let written = id.text.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    check((try? PathID.read(Substring(written))) == id, "a written id reads back")
}

private func query(_ raw: Substring?) {
    do throws(ContractError) {
        let query = try Query(raw)
        if let window = try? query.window() {
            check(window.offset >= 0 && window.limit ?? 0 >= 0, "a window is one")
        }
        if let term = try? query.searchTerm(most: 512) {
            check(!term.isEmpty && term.unicodeScalars.count <= 512, "a term is short")
            check(!PersonText.hasControls(term), "a term has no controls")
            for kind in TermKind.allCases { _ = SearchTerm.readings(of: term, as: kind) }
        }
    } catch {
        refused(error)
    }
}

private func identities(_ fields: [(String, String)]) {
    var headers = HTTPFields()
    for (name, value) in fields {
        if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
    }
    do throws(ContractError) {
        if let key = try IdempotencyKey.read(headers) {
            check((1...IdempotencyKey.most).contains(key.utf8.count), "a key is short")
            let quoted = key.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
            if let name = IdempotencyKey.field {
                let again = HTTPFields([HTTPField(name: name, value: "\"\(quoted)\"")])
                check((try? IdempotencyKey.read(again)) == key, "a written key reads back")
            }
        }
    } catch {
        refused(error)
    }
    guard let peer = IPAddress("10.0.0.1"), let stranger = IPAddress("203.0.113.9"),
        let trusted = AddressRange("10.0.0.0/8")
    else { return check(false, "addresses are read") }
    let hops = fields.filter { $0.0.lowercased() == "x-forwarded-for" }.map(\.1)
    check(
        CallerAddress.of(stranger, forwarded: hops, trusting: [trusted])?.address == stranger,
        "a stranger is believed nothing")
    _ = CallerAddress.of(peer, forwarded: hops, trusting: [trusted])
}

private func bodies(_ body: [UInt8]) {
    for rules in [InputRules(), InputRules(cpfCheckDigits: true, phones: PhoneContext(areaCode: 11))] {
        do throws(ContractError) {
            let draft = try ClientDraft(body: body, rules: rules)
            check((try? ClientDraft(body: json(draft), rules: rules)) == draft, "a written draft reads back")
        } catch {
            refused(error)
        }
        do throws(ContractError) {
            let patch = try ClientPatch(body: body, rules: rules)
            let client = Client(id: ClientID("1"), name: "Ana Teste").applying(patch)
            readsBack(client)
            check(patch.name == nil || client.name == patch.name, "a patched name is there")
            check(patch.email == nil || client.email == patch.email, "a patched address is there")
            check(patch.cpf == nil || client.cpf == patch.cpf, "a patched CPF is there")
            check(patch.birthday == nil || client.birthday == patch.birthday, "a patched day is there")
        } catch {
            refused(error)
        }
    }
}

private func json(_ draft: ClientDraft) -> [UInt8] {
    var writer = JSONWriter(capacity: 256)
    writer.raw("{")
    let members = [
        ("name", draft.name), ("phone", "+" + draft.phone.digits), ("email", draft.email), ("cpf", draft.cpf?.digits),
        ("birthday", draft.birthday?.iso), ("healthInsurance", draft.healthInsurance), ("location", draft.location),
    ]
    for (name, value) in members {
        guard let value else { continue }
        writer.comma()
        writer.string(name)
        writer.raw(":")
        writer.string(value)
    }
    writer.raw("}")
    return writer.finish()
}

/// A refusal says what is wrong, on the wire too.
private func refused(_ error: ContractError) {
    check((400..<500).contains(error.code.status), "a refusal blames the caller")
    check(!error.faults.isEmpty, "a refusal has faults")
    let problem = (try? JSONDocument(error.problem(requestID: "fuzz-1")))?.root
    check(problem?["code"]?.string == error.code.rawValue, "a refusal is a problem document")
}
