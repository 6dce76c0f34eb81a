import ClientContract
import Tenancy
import UpstreamDriver

/// The section of repeated creates.
enum HomologationDuplicates {
    static func text(_ facts: Homologation.Facts) -> String {
        let lines = [known(facts)] + without(facts) + ["O sistema da clínica: \(system(facts))."]
        return "## Duplicados e resultados incertos\n\n" + lines.map { "- " + $0 }.joined(separator: "\n")
            + "\n"
                + """
                - Se o sistema não responde a uma criação, a Ponte procura o registro; se não o encontra, responde `504` com
                  `outcome: "unknown"`. Nada é enviado duas vezes às cegas.
                """
    }

    /// What a person is recognised by: whoever cannot be looked for is not.
    private static func known(_ facts: Homologation.Facts) -> String {
        var keys: [String] = []
        if canFind(.cpf, facts) { keys.append("mesmo CPF") }
        if canFindByPhone(facts) { keys.append(keys.isEmpty ? "mesmo telefone e nome" : "ou mesmo telefone e nome") }
        guard !keys.isEmpty else {
            return "A Ponte não tem como procurar quem já existe: só o sistema da clínica pode evitar duplicados."
        }
        let action =
            switch facts.plan.options.onDuplicate {
            case .returnExisting: "devolve o cliente que já existe"
            case .reject: "recusa com `409` e os ids existentes"
            case .create: another(facts)
            }
        return "Criar alguém que já existe (\(keys.joined(separator: ", "))): \(action)."
    }

    /// What comes of a create that is sent though the person is on record: the system has the last word.
    private static func another(_ facts: Homologation.Facts) -> String {
        switch facts.capabilities.duplicates {
        case .creates: "cria outro registro"
        case .reusesSilently, .refuses: "a criação é enviada, mas o sistema não faz outro registro de quem reconhece"
        case .unknown: "a criação é enviada; não se sabe se o sistema faz outro registro"
        }
    }

    private static func without(_ facts: Homologation.Facts) -> [String] {
        guard !canFindByPhone(facts), canFind(.cpf, facts) else { return [] }
        return ["Sem CPF, quem já existe não é reconhecido: repetir a criação pode fazer outro registro."]
    }

    private static func system(_ facts: Homologation.Facts) -> String {
        let looks = facts.plan.options.onDuplicate != .create
        return switch facts.capabilities.duplicates {
        case .reusesSilently:
            "não avisa que o registro já existia: devolve o antigo ou grava sobre ele; a Ponte "
                + (looks ? "procura antes, " : "") + "compara o que volta e responde `409` se for de outra pessoa"
        case .refuses: "recusa duplicados"
        case .creates: "aceita duplicados" + (looks ? "; a Ponte evita os que reconhece" : "")
        case .unknown: "não se sabe o que faz; a Ponte compara o que ele devolve"
        }
    }

    /// Phones and names are compared together: who is found by one of them is recognised by both.
    private static func canFindByPhone(_ facts: Homologation.Facts) -> Bool {
        canFind(.phone, facts) || canFind(.name, facts)
    }

    /// Whether clients can be found by a kind before a create, whatever callers may search by.
    private static func canFind(_ kind: TermKind, _ facts: Homologation.Facts) -> Bool {
        if facts.capabilities.searches[kind]?.isEmpty == false { return true }
        let hidden: Set<ClientField> =
            switch kind {
            case .phone: [.phone, .allPhones]
            case .cpf: [.cpf]
            case .email: [.email]
            case .name: [.name]
            }
        return facts.way(of: kind) == .scan && facts.capabilities.needsDetail.isDisjoint(with: hidden)
    }
}
