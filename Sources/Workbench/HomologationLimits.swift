import ClientContract
import Tenancy
import UpstreamDriver

/// The section of known limits.
enum HomologationLimits {
    static func text(_ plan: TenantPlan, _ capabilities: Capabilities) -> String {
        let operations = capabilities.operations
        var lines = [
            "Tempo máximo de uma chamada: \(Explanation.seconds(plan.callTimeout)); depois dele a resposta é `504`."
        ]
        if operations.contains(.list) {
            lines.append("Tempo máximo de uma lista inteira: \(Explanation.seconds(plan.listTimeout)).")
        }
        lines.append(
            "Chamadas simultâneas ao sistema: \(plan.channel.maxInFlight). Acima disso há fila; fila cheia responde `503` com "
                + "`Retry-After`.")
        for pace in plan.channel.paces {
            lines.append("Ritmo: até \(pace.calls) chamadas ao sistema a cada \(Explanation.seconds(pace.per)).")
        }
        if let perMinute = plan.requestsPerMinute {
            lines.append("Até \(perMinute) requisições por minuto por chave; acima disso, `429` com `Retry-After`.")
        }
        if plan.allow != nil { lines.append("Só são aceitas chamadas dos endereços combinados.") }
        if capabilities.staleReads > .zero {
            lines.append(
                "As leituras do sistema podem atrasar até \(Explanation.seconds(capabilities.staleReads)) em relação às "
                    + "gravações; a Ponte responde a gravação com o que foi gravado.")
        }
        let unchangeable = capabilities.unchangeable.map { "`\($0.wireName)`" }.sorted()
        if operations.contains(.update) {
            if !unchangeable.isEmpty {
                lines.append("Não podem ser alterados: \(unchangeable.joined(separator: ", ")).")
            }
            lines.append("O telefone não é alterável: a especificação não prevê essa mudança.")
        }
        if operations.contains(.create) {
            let lost = [ClientField.cpf, .email, .birthday].filter { !capabilities.creatable.contains($0) }
            if !lost.isEmpty {
                lines.append(
                    "Aceitos na criação e não gravados: \(lost.map { "`\($0.wireName)`" }.joined(separator: ", ")).")
            }
            let ignored = Capabilities.DraftMember.allCases.filter { !capabilities.draftMembers.contains($0) }
            if !ignored.isEmpty {
                lines.append(
                    "Aceitos na criação e ignorados, como a especificação permite: "
                        + ignored.map { "`\($0.rawValue)`" }.joined(separator: ", ") + ".")
            }
        }
        lines.append(
            "As outras entidades (agenda, agendamentos, profissionais, convênios) não fazem parte desta integração.")
        return "## Limites conhecidos\n\n" + lines.map { "- " + $0 }.joined(separator: "\n")
    }
}
