import ClientContract
import JSONBytes
import RESTDriver

// Answers questions about values for Tests/Oracles/check_values.py, which holds the answers against other people's
// libraries: one JSON array a line on standard input, its first element the question's name; one JSON value a line on
// standard output.

while let line = readLine() {
    let question = try JSONDocument(Array(line.utf8)).root.elements
    guard let name = question.first?.string, let answer = Answer.to(name, Array(question.dropFirst())) else {
        fatalError("no such question: \(line)")
    }
    print(answer)
}

enum Answer {
    static func to(_ question: String, _ arguments: [JSONValue]) -> String? {
        func text(_ index: Int) -> String { arguments.indices.contains(index) ? arguments[index].string ?? "" : "" }
        func number(_ index: Int) -> Int { arguments.indices.contains(index) ? arguments[index].int ?? 0 : 0 }
        func context(_ index: Int) -> PhoneContext { PhoneContext(areaCode: number(index)) }
        switch question {
        case "phone":
            return json(PhoneNumber(text(0), context: context(1))?.digits)
        case "phones":
            return json(PhoneNumber.all(in: text(0), context: context(1)).map { $0.digits })
        case "draft":
            return json(draft(["name": "Ana Teste", "phone": text(0)], InputRules(phones: context(1)))?.phone.digits)
        case "term":
            return json(
                SearchTerm.readings(of: text(0), as: .phone, context: context(1)).map { term in
                    if case .phone(let phone) = term { phone.digits } else { "" }
                })
        case "equal":
            guard let a = PhoneNumber("+" + text(0)), let b = PhoneNumber("+" + text(1)) else { return "null" }
            // Equal ones must have one hash, too.
            return json(a == b && Set([a]).contains(b))
        case "heads":
            func list(_ heads: [ForeignMobiles.Heads]) -> String {
                "[" + heads.map { "[\($0.first),\($0.last)]" }.joined(separator: ",") + "]"
            }
            return "[\(list(ForeignMobiles.ten)),\(list(ForeignMobiles.eleven))]"
        case "cpf":
            var given = text(0)
            guard let cpf = given.withUTF8({ CPF(utf8: $0, padding: number(1) == 1) }) else { return "null" }
            return "[\(json(cpf.digits)),\(json(cpf.punctuated)),\(json(cpf.hasValidCheckDigits))]"
        case "draftCPF":
            let rules = InputRules(cpfCheckDigits: number(1) == 1)
            return json(draft(["name": "Ana Teste", "phone": "5511999999999", "cpf": text(0)], rules)?.cpf?.digits)
        case "readDay":
            guard let pattern = DatePattern(text(0)), let today = Birthday(text(2)) else { return "null" }
            return json(Array(text(1).utf8).withUnsafeBufferPointer { pattern.read($0, today: today)?.iso })
        case "writeDay":
            guard let pattern = DatePattern(text(0)), let day = Birthday(text(1)), let today = Birthday(text(2)) else {
                return "null"
            }
            return json(pattern.write(day, today: today))
        case "email":
            return json(PersonText.isEmail(PersonText.trimmed(text(0))))
        case "emailKey":
            return json(PersonText.emailKey(text(0)))
        case "nameKey":
            return json(PersonText.nameKey(text(0)))
        default:
            return nil
        }
    }

    /// What `POST /clients` makes of a body with these members; nil when it is refused.
    private static func draft(_ members: KeyValuePairs<String, String>, _ rules: InputRules) -> ClientDraft? {
        let body = "{" + members.map { "\(json($0.key)):\(json($0.value))" }.joined(separator: ",") + "}"
        return try? ClientDraft(body: Array(body.utf8), rules: rules)
    }

    private static func json(_ truth: Bool) -> String { truth ? "true" : "false" }

    private static func json(_ text: String?) -> String {
        guard let text else { return "null" }
        var writer = JSONWriter()
        writer.string(text)
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    private static func json(_ texts: [String]) -> String { "[" + texts.map { json($0) }.joined(separator: ",") + "]" }
}
