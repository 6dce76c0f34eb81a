import Bridge
import ClientContract
public import Tenancy
import UpstreamDriver

/// The summary that Clinia asks an integrator for, in Portuguese and Markdown: which endpoints exist, which fields are
/// filled, which searches work, known limits. What `ponte report` prints.
public struct Homologation: Sendable {
    public let markdown: String

    /// - Parameters:
    ///   - findings: what the doctor saw at the clinic's system; nil when it was not asked.
    ///   - day: when that was; left out where it is nil.
    public init(_ plan: TenantPlan, findings: [Doctor.Finding]? = nil, day: CalendarDay? = nil) {
        let facts = Facts(plan, findings)
        var parts = [Self.head(plan, day), Self.summary(facts), Self.endpoints(facts), Self.fields(facts, findings)]
        parts += [Self.searches(facts)]
        if facts.capabilities.operations.contains(.create) { parts.append(HomologationDuplicates.text(facts)) }
        parts += [HomologationLimits.text(plan, facts.capabilities), Self.seen(findings)]
        markdown = parts.joined(separator: "\n\n") + "\n"
    }

    /// What is known of a tenant's system: by its profile, and by the doctor's visit if there was one.
    struct Facts {
        let plan: TenantPlan
        let capabilities: Capabilities
        /// Kinds that a term can be searched by, as far as the system says.
        let kinds: [TermKind]
        /// Those of which the doctor did not see that they work; empty where it was not asked.
        let unproved: Set<TermKind>
        /// The system was not asked, and may say itself that it can do less.
        let mayBeLess: Bool

        init(_ plan: TenantPlan, _ findings: [Doctor.Finding]?) {
            let told = findings?.last { $0.capabilities != nil }?.capabilities
            let capabilities = told ?? plan.driver.capabilities
            self.plan = plan
            self.capabilities = capabilities
            kinds = plan.options.searchBy.filter { Explanation.way(of: $0, plan, capabilities) != .none }
            mayBeLess = findings == nil && Explanation.isNarrowed(plan)
            guard let findings else {
                unproved = []
                return
            }
            unproved = Set(
                kinds.filter { kind in
                    // Whoever reads all clients finds whom the list shows.
                    let isScan = Explanation.way(of: kind, plan, capabilities) == .scan
                    let finding = findings.last { $0.name == (isScan ? "list" : Doctor.name(kind)) }
                    guard let finding else { return true }
                    return isScan ? finding.members == nil : finding.verdict != .good && !finding.isProved
                })
        }

        func way(of kind: TermKind) -> Explanation.Way { Explanation.way(of: kind, plan, capabilities) }
    }

    private static func head(_ plan: TenantPlan, _ day: CalendarDay?) -> String {
        """
        # Homologação da integração de clientes: \(cell(plan.name))

        | | |
        | --- | --- |
        | Sistema da clínica | \(cell(plan.driver.capabilities.system)) |
        | Integração | Ponte, identificador `\(plan.id)` |
        | Entidade | Client: os cinco endpoints da especificação "Cliente" |
        | Autenticação | `Authorization: Bearer <chave>` ou `X-API-Key: <chave>` |
        | Endereço base | ____________________ (a preencher: o endereço público desta Ponte) |
        | Responsável técnico | ____________________ (a preencher) |
        """ + (day.map { "\n| Data | \($0) |" } ?? "")
    }

    // MARK: In short

    /// What Clinia needs to know first.
    private static func summary(_ facts: Facts) -> String {
        let (plan, capabilities, kinds) = (facts.plan, facts.capabilities, facts.kinds)
        let calls = [Capabilities.Operation.list, .get, .create, .update].count { capabilities.operations.contains($0) }
        var lines: [String] = []
        if plan.isDisabled {
            lines.append(
                "**Esta integração está desativada** (`disabled` no arquivo do tenant): a Ponte não atende nenhuma chamada dela."
            )
        } else if plan.keys.allSatisfy({ $0.expires?.isOver(at: CalendarDay.now) == true }) {
            lines.append("**Todas as chaves desta integração venceram**: toda chamada é recusada com `401`.")
        }
        lines.append("Endpoints de Client disponíveis: \(calls + (kinds.isEmpty ? 0 : 1)) de 5.")
        if facts.mayBeLess {
            lines.append(
                "O servidor não foi consultado: pode oferecer menos do que consta aqui, se a sua própria declaração "
                    + "(CapabilityStatement) o disser.")
        }
        let proved = kinds.filter { !facts.unproved.contains($0) }
        if !proved.isEmpty {
            lines.append(
                "Tipo de termo a configurar na interface da Clinia: \(proved.map(name).joined(separator: " ou ")).")
        }
        let unproved = kinds.filter { facts.unproved.contains($0) }
        if !unproved.isEmpty {
            lines.append(
                "Busca não verificada no sistema, a não configurar ainda: \(unproved.map(name).joined(separator: ", "))."
            )
        }
        if !kinds.contains(.phone) {
            lines.append(
                "O sistema não busca por telefone: quem escreve pelo WhatsApp só é reconhecido depois de informar "
                    + (kinds.isEmpty ? "outro dado." : kinds.map(name).joined(separator: " ou ") + "."))
        }
        if !capabilities.readable.contains(.phone) {
            lines.append("O sistema não mostra o telefone: mensagens ativas a esses clientes não são possíveis.")
        } else if capabilities.needsDetail.contains(.phone), !plan.options.listDetail {
            lines.append("O telefone principal só aparece na consulta por id, não na lista.")
        }
        return "## Em resumo\n\n" + lines.map { "- " + $0 }.joined(separator: "\n")
    }

    // MARK: Endpoints, fields, searches

    private static func endpoints(_ facts: Facts) -> String {
        let operations = facts.capabilities.operations
        func row(_ call: String, _ exists: Bool, _ note: String) -> [String] {
            ["`\(call)`", exists ? "sim" : "não", exists ? note : "o sistema da clínica não oferece; responde `501`"]
        }
        return table(
            "## Endpoints", ["chamada", "disponível", "observação"],
            [
                row("GET /clients", operations.contains(.list), "sem `limit` devolve todos, na ordem do sistema"),
                row(
                    "GET /clients/search?term=", !facts.kinds.isEmpty,
                    "correspondência exata; ninguém encontrado é `[]`"),
                row("GET /clients/{id}", operations.contains(.get), "`404` só quando o sistema diz que não existe"),
                row(
                    "POST /clients", operations.contains(.create),
                    (facts.plan.options.onDuplicate == .create
                        ? "cria sem procurar a pessoa" : "procura a pessoa antes de criar") + "; devolve `200`"),
                row("PATCH /clients/{id}", operations.contains(.update), "muda só o que foi enviado"),
            ])
                + """


                Sucesso é sempre `200`. Erros seguem a RFC 9457 (`application/problem+json`), com um `code` estável; uma falha do
                sistema da clínica nunca vira lista vazia nem `404`. Um endpoint com `501` deve ser tratado como não implementado.
                """
    }

    private static func fields(_ facts: Facts, _ findings: [Doctor.Finding]?) -> String {
        let (plan, capabilities) = (facts.plan, facts.capabilities)
        let seen = findings?.filter { $0.members != nil }.last { $0.name == "list" }?.members
        let one = findings?.last { $0.name == "get" }?.members
        let rows = ClientField.allCases.map { field -> [String] in
            let isLate = capabilities.needsDetail.contains(field) && !plan.options.listDetail
            let read =
                !capabilities.readable.contains(field) ? "não" : isLate ? "só na consulta por id" : "sim"
            let patch: String =
                switch field {
                case .id, .description, .phone, .allPhones, .image: "—"
                default:
                    !capabilities.operations.contains(.update) || capabilities.unchangeable.contains(field)
                        ? "não" : "sim"
                }
            let create: String =
                switch field {
                case .id, .description, .allPhones, .image: "—"
                default:
                    !capabilities.operations.contains(.create) || !capabilities.creatable.contains(field)
                        ? "não" : "sim"
                }
            var cells = ["`\(field.wireName)`", read, create, patch]
            if let seen { cells.append(filled(field, seen, isLate ? one : nil)) }
            return cells
        }
        var head = ["campo", "preenchido na leitura", "gravado na criação", "alterável"]
        if let seen { head.append("visto em \(seen.clients) clientes da lista") }
        return table("## Campos", head, rows)
            + "\n\nUm campo sem valor no cadastro não aparece no JSON: nem `null`, nem texto vazio."
    }

    private static func filled(_ field: ClientField, _ seen: Doctor.Members, _ one: Doctor.Members?) -> String {
        if let one, seen.shown[field] == 0 {
            return one.shown[field] == 0 ? "não na consulta feita" : "na consulta por id"
        }
        return "\(seen.shown[field] ?? 0)"
    }

    private static func searches(_ facts: Facts) -> String {
        let (plan, capabilities) = (facts.plan, facts.capabilities)
        let rows = TermKind.allCases.map { kind -> [String] in
            guard plan.options.searchBy.contains(kind) else {
                let can = capabilities.searches[kind]?.isEmpty == false
                return [name(kind), "não", can ? "o sistema busca, mas não está configurada" : "não configurada"]
            }
            let works = facts.unproved.contains(kind) ? "não verificada" : "sim"
            return switch facts.way(of: kind) {
            case .own: [name(kind), works, "busca do próprio sistema; cada candidato é comparado pela Ponte"]
            case .scan: [name(kind), works, "leitura de todos os clientes, até \(plan.options.scan.maxRecords)"]
            case .none:
                [name(kind), "não", "o sistema não busca por isso; um termo que só possa ser disso recebe `501`"]
            }
        }
        return table("## Buscas", ["termo", "funciona", "como"], rows)
            + """


            Telefones são iguais com e sem `55`, zeros, pontuação e o nono dígito; CPF com e sem pontuação; e-mail e nome sem
            distinção de maiúsculas (o e-mail, se a busca do próprio sistema também não a fizer). O telefone é comparado com `phone` e com todos de `allPhones`.
            """
    }

    static func name(_ kind: TermKind) -> String {
        switch kind {
        case .phone: "telefone"
        case .cpf: "CPF"
        case .email: "e-mail"
        case .name: "nome"
        }
    }

    // MARK: What was seen

    private static func seen(_ findings: [Doctor.Finding]?) -> String {
        let title = "## Verificação no sistema (somente leitura)"
        guard let findings else {
            return title + "\n\nNão foi feita: este resumo vem só da configuração (`ponte report --live` a faz)."
        }
        let rows = findings.map { finding -> [String] in
            let verdict =
                switch finding.verdict {
                case .good: "certo"
                case .doubtful: "conferir"
                case .bad: "falhou"
                case .skipped: finding.applies ? "não testado" : "não se aplica"
                }
            return [name(finding.name), verdict, finding.took.map { Explanation.seconds($0) } ?? "—"]
        }
        let failures = findings.count { $0.verdict == .bad }
        let note =
            failures == 0
            ? ""
            : "\n\n**\(failures) teste\(failures == 1 ? "" : "s") falh\(failures == 1 ? "ou" : "aram")**: o `ponte doctor` diz por "
                + "quê. Corrija antes de enviar este documento."
        return table(title, ["teste", "resultado", "tempo"], rows) + note
    }

    private static func name(_ finding: String) -> String {
        switch finding {
        case "name": return "nome do servidor"
        case "connection": return "conexão e TLS"
        case "credentials": return "credenciais"
        case UnsavedCredentials.name: return "arquivo da credencial"
        case "list": return "uma página da lista"
        case "get": return "consulta por id"
        default:
            let kind = finding.split(separator: " ").last.flatMap { TermKind(rawValue: String($0)) }
            return kind.map { "busca por \(name($0))" } ?? finding
        }
    }

    // MARK: Markdown

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
