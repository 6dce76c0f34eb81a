import Bridge
import ClientContract
public import Tenancy
import UpstreamDriver

/// The summary that Clinia asks an integrator for, in Portuguese and Markdown: which endpoints exist, which fields are
/// filled, which searches work, known limits. What `ponte report` prints.
public struct Homologation: Sendable {
    public let markdown: String

    /// - Parameter findings: what the doctor saw at the clinic's system; nil when it was not asked.
    public init(_ plan: TenantPlan, findings: [Doctor.Finding]? = nil) {
        var parts = [Self.head(plan), Self.endpoints(plan), Self.fields(plan), Self.searches(plan), Self.rules(plan)]
        parts.append(Self.limits(plan))
        if let findings { parts.append(Self.seen(findings)) }
        markdown = parts.joined(separator: "\n\n") + "\n"
    }

    private static func head(_ plan: TenantPlan) -> String {
        """
        # Homologação da integração de clientes: \(cell(plan.name))

        Sistema da clínica: **\(cell(plan.driver.capabilities.system))**. Integração: Ponte, identificador `\(plan.id)`.
        Autenticação: `Authorization: Bearer <chave>` ou `X-API-Key: <chave>`. Sucesso é sempre `200`; erros seguem a RFC 9457
        (`application/problem+json`) com um `code` estável.
        """
    }

    private static func endpoints(_ plan: TenantPlan) -> String {
        let capabilities = plan.driver.capabilities
        func yes(_ operation: Capabilities.Operation) -> String {
            capabilities.operations.contains(operation) ? "sim" : "não: responde `501`"
        }
        let searchable = plan.options.searchBy.contains { Explanation.way(of: $0, plan) != .none }
        return table(
            "## Endpoints", ["chamada", "disponível", "observação"],
            [
                ["`GET /clients`", yes(.list), "sem `limit` devolve todos; ordem do sistema"],
                [
                    "`GET /clients/search?term=`", searchable ? "sim" : "não: responde `501`",
                    "correspondência exata, veja abaixo",
                ],
                ["`GET /clients/{id}`", yes(.get), "`404` só quando o sistema diz que não existe"],
                ["`POST /clients`", yes(.create), "procura a pessoa antes de criar"],
                ["`PATCH /clients/{id}`", yes(.update), "muda só o que foi enviado"],
            ])
    }

    private static func fields(_ plan: TenantPlan) -> String {
        let capabilities = plan.driver.capabilities
        let rows = ClientField.allCases.map { field -> [String] in
            let inRows =
                !capabilities.readable.contains(field)
                ? "não"
                : capabilities.needsDetail.contains(field) && !plan.options.listDetail ? "só na consulta por id" : "sim"
            let patch: String =
                switch field {
                case .id, .description, .phone, .allPhones, .image: "—"
                default:
                    !capabilities.operations.contains(.update) || capabilities.unchangeable.contains(field)
                        ? "não: `501`" : "sim"
                }
            let create: String =
                switch field {
                case .id, .description, .allPhones, .image: "—"
                default:
                    !capabilities.operations.contains(.create) || !capabilities.creatable.contains(field)
                        ? "não" : "sim"
                }
            return ["`\(field.wireName)`", inRows, create, patch]
        }
        return table("## Campos", ["campo", "preenchido na leitura", "gravado na criação", "alterável"], rows)
    }

    private static func searches(_ plan: TenantPlan) -> String {
        let rows = TermKind.allCases.map { kind -> [String] in
            guard plan.options.searchBy.contains(kind) else { return [name(kind), "não configurada", "—"] }
            return switch Explanation.way(of: kind, plan) {
            case .own: [name(kind), "sim", "busca do próprio sistema; cada candidato é comparado"]
            case .scan: [name(kind), "sim", "leitura de todos os clientes, até \(plan.options.scan.maxRecords)"]
            case .none:
                [name(kind), "não", "o sistema não busca por isso; um termo que só possa ser disso recebe `501`"]
            }
        }
        return table("## Buscas", ["termo", "funciona", "como"], rows)
            + """


            Telefones são iguais com e sem `55`, zeros, pontuação e o nono dígito; CPF com e sem pontuação; e-mail e nome sem
            distinção de maiúsculas.
            """
    }

    private static func name(_ kind: TermKind) -> String {
        switch kind {
        case .phone: "telefone"
        case .cpf: "CPF"
        case .email: "e-mail"
        case .name: "nome"
        }
    }

    private static func rules(_ plan: TenantPlan) -> String {
        let capabilities = plan.driver.capabilities
        let duplicates =
            switch plan.options.onDuplicate {
            case .returnExisting: "devolve o cliente que já existe"
            case .reject: "recusa com `409` e os ids existentes"
            case .create: "cria outro registro"
            }
        let system =
            switch capabilities.duplicates {
            case .reusesSilently:
                "o sistema devolve em silêncio um registro antigo; a Ponte compara e responde `409` se for de outra pessoa"
            case .refuses: "o sistema recusa duplicados"
            case .creates: "o sistema aceita duplicados; a Ponte os evita"
            case .unknown: "o comportamento do sistema não é conhecido; a Ponte compara o que ele devolve"
            }
        return """
            ## Duplicados e resultados incertos

            - Criar alguém que já existe (mesmo CPF, ou mesmo telefone e nome): \(duplicates).
            - No sistema: \(system).
            - Se o sistema não responde a uma criação, a Ponte procura o registro; se não o encontra, responde `504` com
              `outcome: "unknown"`. Nada é enviado duas vezes às cegas.
            """
    }

    private static func limits(_ plan: TenantPlan) -> String {
        let capabilities = plan.driver.capabilities
        var lines = [
            "Tempo máximo de uma chamada: \(Explanation.seconds(plan.callTimeout)); de uma lista inteira: \(Explanation.seconds(plan.listTimeout)).",
            "Chamadas simultâneas ao sistema: \(plan.channel.maxInFlight). Acima disso há fila; fila cheia responde `503` com `Retry-After`.",
        ]
        for pace in plan.channel.paces {
            lines.append("Ritmo: até \(pace.calls) chamadas a cada \(Explanation.seconds(pace.per)).")
        }
        if capabilities.staleReads > .zero {
            lines.append(
                "As leituras do sistema podem atrasar até \(Explanation.seconds(capabilities.staleReads)) em relação às gravações."
            )
        }
        let unchangeable = capabilities.unchangeable.map { "`\($0.wireName)`" }.sorted()
        if capabilities.operations.contains(.update), !unchangeable.isEmpty {
            lines.append("Não podem ser alterados: \(unchangeable.joined(separator: ", ")).")
        }
        lines.append("O telefone não é alterável: o contrato não prevê essa mudança.")
        if !capabilities.draftMembers.contains(.healthInsurance) {
            lines.append("`healthInsurance` é aceito e ignorado.")
        }
        if !capabilities.draftMembers.contains(.location) { lines.append("`location` é aceito e ignorado.") }
        return "## Limites conhecidos\n\n" + lines.map { "- " + $0 }.joined(separator: "\n")
    }

    private static func seen(_ findings: [Doctor.Finding]) -> String {
        let rows = findings.map { finding -> [String] in
            let verdict =
                switch finding.verdict {
                case .good: "certo"
                case .doubtful: "conferir"
                case .bad: "falhou"
                case .skipped: "não se aplica"
                }
            return [name(finding.name), verdict, finding.took.map { Explanation.seconds($0) } ?? "—"]
        }
        return table("## Verificação no sistema (somente leitura)", ["teste", "resultado", "tempo"], rows)
    }

    private static func name(_ finding: String) -> String {
        switch finding {
        case "name": return "nome do servidor"
        case "connection": return "conexão"
        case "list": return "lista"
        case "get": return "consulta por id"
        default:
            let kind = finding.split(separator: " ").last.flatMap { TermKind(rawValue: String($0)) }
            return kind.map { "busca por \(name($0))" } ?? finding
        }
    }

    private static func table(_ title: String, _ head: [String], _ rows: [[String]]) -> String {
        let line = { (cells: [String]) in "| " + cells.joined(separator: " | ") + " |" }
        let lines = [line(head), line(head.map { _ in "---" })] + rows.map { line($0) }
        return title + "\n\n" + lines.joined(separator: "\n")
    }

    /// A text that cannot end a table's cell or begin another element.
    private static func cell(_ text: String) -> String {
        text.map { "|*_`<>[]\n".contains($0) ? " " : $0 }.reduce(into: "") { $0.append($1) }
    }
}
