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
        var parts = [Self.head(plan, day), Self.summary(plan), Self.endpoints(plan), Self.fields(plan, findings)]
        parts += [Self.searches(plan)]
        if plan.driver.capabilities.operations.contains(.create) { parts.append(Self.duplicates(plan)) }
        parts += [HomologationLimits.text(plan), Self.seen(findings)]
        markdown = parts.joined(separator: "\n\n") + "\n"
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
    private static func summary(_ plan: TenantPlan) -> String {
        let capabilities = plan.driver.capabilities
        let kinds = plan.options.searchBy.filter { Explanation.way(of: $0, plan) != .none }
        let calls = [Capabilities.Operation.list, .get, .create, .update].count { capabilities.operations.contains($0) }
        var lines = ["Endpoints de Client disponíveis: \(calls + (kinds.isEmpty ? 0 : 1)) de 5."]
        if !kinds.isEmpty {
            lines.append(
                "Tipo de termo a configurar na interface da Clinia: \(kinds.map(name).joined(separator: " ou ")).")
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

    private static func endpoints(_ plan: TenantPlan) -> String {
        let operations = plan.driver.capabilities.operations
        func row(_ call: String, _ exists: Bool, _ note: String) -> [String] {
            ["`\(call)`", exists ? "sim" : "não", exists ? note : "o sistema da clínica não oferece; responde `501`"]
        }
        let searchable = plan.options.searchBy.contains { Explanation.way(of: $0, plan) != .none }
        return table(
            "## Endpoints", ["chamada", "disponível", "observação"],
            [
                row("GET /clients", operations.contains(.list), "sem `limit` devolve todos, na ordem do sistema"),
                row("GET /clients/search?term=", searchable, "correspondência exata; ninguém encontrado é `[]`"),
                row("GET /clients/{id}", operations.contains(.get), "`404` só quando o sistema diz que não existe"),
                row("POST /clients", operations.contains(.create), "procura a pessoa antes de criar; devolve `200`"),
                row("PATCH /clients/{id}", operations.contains(.update), "muda só o que foi enviado"),
            ])
                + """


                Sucesso é sempre `200`. Erros seguem a RFC 9457 (`application/problem+json`), com um `code` estável; uma falha do
                sistema da clínica nunca vira lista vazia nem `404`. Um endpoint com `501` deve ser tratado como não implementado.
                """
    }

    private static func fields(_ plan: TenantPlan, _ findings: [Doctor.Finding]?) -> String {
        let capabilities = plan.driver.capabilities
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

    private static func searches(_ plan: TenantPlan) -> String {
        let rows = TermKind.allCases.map { kind -> [String] in
            guard plan.options.searchBy.contains(kind) else {
                let can = plan.driver.capabilities.searches[kind]?.isEmpty == false
                return [name(kind), "não", can ? "o sistema busca, mas não está configurada" : "não configurada"]
            }
            return switch Explanation.way(of: kind, plan) {
            case .own: [name(kind), "sim", "busca do próprio sistema; cada candidato é comparado pela Ponte"]
            case .scan: [name(kind), "sim", "leitura de todos os clientes, até \(plan.options.scan.maxRecords)"]
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

    // MARK: Creates

    private static func duplicates(_ plan: TenantPlan) -> String {
        let duplicates =
            switch plan.options.onDuplicate {
            case .returnExisting: "devolve o cliente que já existe"
            case .reject: "recusa com `409` e os ids existentes"
            case .create: "cria outro registro"
            }
        let system =
            switch plan.driver.capabilities.duplicates {
            case .reusesSilently:
                "devolve em silêncio um registro antigo; a Ponte compara e responde `409` se for de outra pessoa"
            case .refuses: "recusa duplicados"
            case .creates: "aceita duplicados; a Ponte os evita"
            case .unknown: "não se sabe o que faz; a Ponte compara o que ele devolve"
            }
        return """
            ## Duplicados e resultados incertos

            - Criar alguém que já existe (mesmo CPF, ou mesmo telefone e nome): \(duplicates).
            - O sistema da clínica: \(system).
            - Se o sistema não responde a uma criação, a Ponte procura o registro; se não o encontra, responde `504` com
              `outcome: "unknown"`. Nada é enviado duas vezes às cegas.
            """
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
                case .skipped: "não se aplica"
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
