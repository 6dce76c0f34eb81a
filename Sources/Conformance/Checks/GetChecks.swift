import ClientContract

extension Check {
    /// Ids of forms that the system cannot have given, or that could lead a call astray.
    private static func strangers(_ id: String) -> [(name: String, ids: [String])] {
        [
            ("letters", ["x", "abc-def", "ação"]),
            ("path", ["../\(id)", "\(id)/../\(id)", "\(id)/", "/\(id)", ".", "..", "\(id)/edit"]),
            ("query", ["\(id)?x=1", "\(id)&x=1", "\(id)#x", "?", "&", "%3F", "\(id)%00"]),
            ("blank", [" ", " \(id)", "\(id) ", "\(id)\n", "\t"]),
            ("long", [String(repeating: "9", count: 40), String(repeating: "x", count: 2_000)]),
            ("sign", ["-1", "+\(id)", "\(id).0", "1e3", "0x10"]),
        ]
    }

    static let noStrangers = "this world holds no record that is no client"

    static let get = own + strange + strangers

    private static let strangers: [Check] = [
        Check(.get, "stranger", "a record that is no client is not found", needs: [.operation(.get)]) { stage in
            for id in stage.world.strangers {
                try await expectFailure(Codes.notFound) { try await stage.bridge.client(id, stage.context()) }
            }
            if stage.world.strangers.isEmpty { throw Inapplicable(reason: noStrangers) }
        }
    ]

    private static let own: [Check] = [
        Check(.get, "everybody", "each client is shown under their own id", needs: [.operation(.get)]) { stage in
            for role in Role.cast(without: stage.subject.gaps) {
                let client = try await stage.get(role)
                let id = try stage.id(role)
                try expect(client.id == id, "the id of \(role.rawValue)", "another id")
                try expect(
                    PersonText.nameKey(client.name) == PersonText.nameKey(role.person.name),
                    "the name of \(role.rawValue)", "another name")
            }
        },
        Check(.get, "nobody", "an id that nobody has is not found", needs: [.operation(.get)]) { stage in
            try await expectFailure(Codes.notFound) {
                try await stage.bridge.client(stage.world.absentID, stage.context())
            }
        },
        Check(
            .get, "zeros", "an id with a zero in front is another id", needs: [.operation(.get)]
        ) { stage in
            let id = ClientID("0" + (try stage.id(.complete)).text)
            try await expectFailure(Codes.notFound) { try await stage.bridge.client(id, stage.context()) }
        },
        Check(
            .get, "status", "404 for one client means that there is none, or a failure where a profile says so",
            needs: [.operation(.get), .trouble(.status(404))]
        ) { stage in
            await stage.world.make(.status(404), on: .get, times: nil)
            try await expectFailure(Codes.notFound + Codes.failed) { try await stage.get(.complete) }
        },
        Check(.get, "once", "one client takes one call", needs: [.operation(.get)]) { stage in
            _ = try await stage.get(.complete)
            let calls = await stage.world.count(.get)
            try expect(calls == 1, "1 call", "\(calls) calls")
        },
    ]

    private static let strange: [Check] = strangers("").map { $0.name }.map { name in
        Check(
            .get, "strange.\(name)", "an id of a form that the system never gives is not found",
            needs: [.operation(.get)]
        ) { stage in
            let own = try stage.id(.complete).text
            for (place, text) in (strangers(own).first { $0.name == name }?.ids ?? []).enumerated() {
                do {
                    let client = try await stage.bridge.client(ClientID(text), stage.context())
                    throw Mismatch(
                        expected: "nobody under id \(place)", came: "a record of \(stage.names([client.id]))")
                } catch let error as ContractError {
                    try expect(
                        error.code == .noSuchClient, "no_such_client for id \(place)",
                        "the error \(error.code.rawValue)")
                }
            }
        }
    }
}
