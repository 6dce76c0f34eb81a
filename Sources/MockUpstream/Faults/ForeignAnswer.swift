/// Answers that a caller could take for the system's word on a client, and that are not.
public enum ForeignAnswer: String, Sendable, Hashable, CaseIterable {
    /// 404: a gateway that has no such route.
    case gateway
    /// 404: a framework that knows no such address.
    case framework
    /// 404 without a body.
    case bare
    /// 409 in any vendor's envelope: there were too many calls.
    case quota
    /// 409 in any vendor's envelope: another patient has that CPF. The words of "no such patient" stand in it.
    case collision

    var answer: MockAnswer {
        switch self {
        case .gateway: MockAnswer(404, json: ["message": "no Route matched with those values"])
        case .framework:
            MockAnswer(
                404,
                json: [
                    "timestamp": "2026-01-05T12:00:00.000+00:00", "status": 404, "error": "Not Found",
                    "path": "/api/pacientes",
                ])
        case .bare: MockAnswer(404, [UInt8]())
        case .quota: Self.inAnyEnvelope("Limite de consultas excedido para este plano")
        case .collision:
            Self.inAnyEnvelope("Já foi encontrado outro paciente com este CPF; não é possível repetir")
        }
    }

    /// The members in which vendors say what went wrong, all at once.
    private static func inAnyEnvelope(_ words: String) -> MockAnswer {
        MockAnswer(
            409,
            json: [
                "success": false, "sucesso": false, "content": .text(words), "mensagens": [.text(words)],
                "message": .text(words), "msg": .text(words), "payload": .null,
            ])
    }
}
