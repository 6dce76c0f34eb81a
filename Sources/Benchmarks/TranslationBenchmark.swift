import ClientContract
import Foundation
import JSONBytes
import RESTDriver
import StrictConfig
import Transport
import UpstreamDriver

/// What it costs to turn a page of 100 clients (39 KB) of a vendor into the contract's bytes: the compiled profile
/// against Codable, in the same run.
enum TranslationBenchmark {
    static func run(_ arguments: [String]) async throws {
        let rounds = arguments.first.flatMap { Int($0) } ?? 300
        // For profilers: without the other candidates.
        let alone = arguments.contains("--alone")
        let page = SamplePage.bytes(clients: 100)
        let profile = try Profile(Array(SamplePage.profile.utf8), file: "benchmark.json")
        let answer = UpstreamAnswer(
            status: 200, headers: [("Content-Type", "application/json")], body: page)
        let driver = RESTDriver(
            profile: profile, tenant: RESTTenant(baseURL: "http://127.0.0.1"), http: Canned(answer: answer))
        let context = CallContext(deadline: .now + .seconds(3600), requestID: "benchmark")

        var ours: [Duration] = []
        var codable: [Duration] = []
        var parse: [Duration] = []
        var written = 0
        let clock = ContinuousClock()
        for _ in 0..<rounds {
            let start = clock.now
            let result = try await driver.page(PageRequest(.offset(0), size: 100), context)
            var writer = JSONWriter(capacity: page.count)
            writer.raw("[")
            for (index, client) in result.clients.enumerated() {
                if index > 0 { writer.raw(",") }
                client.write(to: &writer)
            }
            writer.raw("]")
            written = writer.finish().count
            ours.append(clock.now - start)

            if alone { continue }
            let parsing = clock.now
            _ = try JSONDocument(page)
            parse.append(clock.now - parsing)

            let other = clock.now
            let bytes = try CodableTranslation.translate(page)
            codable.append(clock.now - other)
            guard bytes.count > written / 2 else { throw Failure(message: "the two translations differ") }
        }
        let mine = median(ours)
        if alone {
            print("compiled profile  \(micro(mine)) µs")
            return
        }
        let theirs = median(codable)
        print("page: 100 clients, \(page.count) bytes in, \(written) bytes out, \(rounds) rounds, medians")
        print(
            "compiled profile  \(micro(mine)) µs   (of which reading and checking the JSON \(micro(median(parse))) µs)")
        print("Codable           \(micro(theirs)) µs")
        print("ratio             \(Int((theirs / mine).rounded())) : 1")
    }

    struct Failure: Error { let message: String }

    private static func median(_ durations: [Duration]) -> Double {
        let sorted = durations.sorted()
        let middle = sorted[sorted.count / 2].components
        return Double(middle.seconds) * 1e6 + Double(middle.attoseconds) / 1e12
    }

    private static func micro(_ value: Double) -> String { String(format: "%.1f", value) }
}

/// An upstream that always answers the same.
private struct Canned: HTTPSending {
    let answer: UpstreamAnswer

    func send(_ request: OutboundRequest, deadline: ContinuousClock.Instant) async throws(TransportError)
        -> UpstreamAnswer
    {
        answer
    }
}

/// A page in the manner of a Brazilian clinic system, and the profile that reads it.
enum SamplePage {
    static let profile = """
        {
          "name": "benchmark", "title": "Benchmark",
          "fields": {
            "id": { "at": "/codigo" },
            "name": { "at": "/nomeCompleto" },
            "description": { "at": "/observacoes" },
            "phones": [{ "at": "/contatos/celular" }, { "at": "/contatos/telefone" }],
            "cpf": { "at": "/documento/cpf" },
            "image": { "at": "/fotoUrl" },
            "email": { "at": "/contatos/email" },
            "birthday": { "at": "/dataNascimento", "format": "dd/MM/yyyy" }
          },
          "operations": {
            "list": {
              "path": "/p", "query": { "pagina": "{page}", "n": "{size}" }, "items": "/dados/itens",
              "paging": { "style": "page", "total": "/dados/total" }
            }
          },
          "outcomes": [{ "when": { "status": "2xx", "body": { "/sucesso": false } }, "then": "failure" }]
        }
        """

    static func bytes(clients: Int) -> [UInt8] {
        var rows: [String] = []
        for number in 0..<clients {
            let digits = String(10_000_000_000 + number * 7_919_333)
            let tail = digits.suffix(4)
            rows.append(
                """
                {"codigo":\(1000 + number),"nomeCompleto":"José Exemplo da Silva \(number)","dataNascimento":"0\(number % 9 + 1)/03/19\(60 + number % 40)","documento":{"cpf":"\(digits.prefix(3)).\(digits.dropFirst(3).prefix(3)).\(digits.dropFirst(6).prefix(3))-\(digits.suffix(2))","rg":null},"contatos":{"celular":"(11) 9\(number % 10)999-\(tail)","telefone":"(11) 3333-\(tail)","email":"pessoa\(number)@example.test"},"observacoes":"Prefere atendimento pela manhã","fotoUrl":"https://example.test/fotos/\(number).jpg","convenioId":"12","ativo":true}
                """)
        }
        return Array(
            "{\"sucesso\":true,\"dados\":{\"itens\":[\(rows.joined(separator: ","))],\"total\":\(clients)}}".utf8)
    }
}

/// The same translation as most people would write it.
enum CodableTranslation {
    private struct Answer: Decodable {
        struct Page: Decodable { let itens: [Row] }
        struct Document: Decodable { let cpf: String? }
        struct Contacts: Decodable {
            let celular: String?
            let telefone: String?
            let email: String?
        }
        struct Row: Decodable {
            let codigo: Int
            let nomeCompleto: String
            let dataNascimento: String?
            let documento: Document
            let contatos: Contacts
            let observacoes: String?
            let fotoUrl: String?
        }
        let sucesso: Bool
        let dados: Page
    }

    private struct Out: Encodable {
        let id: String
        let name: String
        let description: String?
        let phone: String?
        let allPhones: [String]
        let cpf: String?
        let image: String?
        let email: String?
        let birthday: String?
    }

    static func translate(_ bytes: [UInt8]) throws -> Data {
        let answer = try JSONDecoder().decode(Answer.self, from: Data(bytes))
        func phone(_ text: String?) -> String? { text.map { "55" + $0.filter(\.isNumber) } }
        return try JSONEncoder().encode(
            answer.dados.itens.map { row in
                let phones = [phone(row.contatos.celular), phone(row.contatos.telefone)].compactMap { $0 }
                let date = row.dataNascimento?.split(separator: "/")
                return Out(
                    id: String(row.codigo), name: row.nomeCompleto, description: row.observacoes, phone: phones.first,
                    allPhones: phones, cpf: row.documento.cpf, image: row.fotoUrl, email: row.contatos.email,
                    birthday: date.map { "\($0[2])-\($0[1])-\($0[0])" })
            })
    }
}
