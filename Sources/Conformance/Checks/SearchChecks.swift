import ClientContract

extension Check {
    /// One term, and who is found by it.
    private static func finds(
        _ name: String, _ kind: TermKind, _ term: String, _ roles: [Role], _ claim: String, needs: [Need] = []
    ) -> Check {
        Check(.search, name, claim, needs: [.search(kind)] + needs) { stage in
            try stage.confirm(try await stage.search(term, kind), are: roles)
        }
    }

    private static let phoneTerms: [Check] = [
        finds(
            "phoneAsTheContract", .phone, "5531988880001", [.complete],
            "a phone as the contract writes it finds its client"),
        finds("phoneNational", .phone, "31988880001", [.complete], "so does the number without the country code"),
        finds("phonePunctuated", .phone, "(31) 98888-0001", [.complete], "and a punctuated one"),
        finds("phoneWithPlus", .phone, "+55 31 98888-0001", [.complete], "and one with a plus"),
        finds(
            "phoneNinthAdded", .phone, "5531988880002", [.oldMobile],
            "a mobile on record without its ninth digit is found with it"),
        finds(
            "phoneNinthLeftOut", .phone, "553188880001", [.complete],
            "a mobile on record with its ninth digit is found without it"),
        finds(
            "phoneFamily", .phone, "5531988887777", [.mother, .father, .daughter, .son],
            "everybody of a family on one phone is found"),
        finds(
            "phoneSecond", .phone, "5585988880009", [.threePhones], "a second number finds its client",
            needs: [.no(.severalPhones)]),
        finds(
            "phoneThird", .phone, "551133330009", [.threePhones], "a third number finds its client",
            needs: [.no(.severalPhones), .no(.landlines)]),
        finds("phoneLandline", .phone, "555133330014", [.landlineOnly], "a landline finds its client"),
        finds(
            "phoneOtherArea", .phone, "5511988880001", [.almostComplete],
            "the same digits in another area are another line"),
        finds(
            "phoneForeign", .phone, "351912345678", [.foreign], "a foreign number finds its client",
            needs: [.no(.foreignPhones)]),
        finds("phoneNobody", .phone, PhoneNumber.absent.digits, [], "a number that nobody has finds nobody"),
        finds("phonePart", .phone, "5531988880", [], "a part of a number finds nobody"),
    ]

    private static let cpfTerms: [Check] = [
        finds("cpfDigits", .cpf, "30000000116", [.complete], "a CPF as digits finds its client"),
        finds("cpfPunctuated", .cpf, "300.000.001-16", [.complete], "so does a punctuated one"),
        finds("cpfZeros", .cpf, "001.234.567-97", [.zeros], "a CPF that begins with zeros is found"),
        finds("cpfNobody", .cpf, CPF.absent.digits, [], "a CPF that nobody has finds nobody"),
    ]

    private static let emailTerms: [Check] = [
        finds(
            "email", .email, "ana@example.test", [.complete],
            "an address finds its client, and no address that holds it"),
        finds(
            "emailCase", .email, "bruno.exemplo@EXAMPLE.test", [.threePhones], "case makes no difference to an address",
            needs: [.no(.emailInAnyCase)]),
        finds("emailPlus", .email, "zoe+teste@example.test", [.signs], "a plus in an address is a plus"),
        finds(
            "emailShared", .email, "gemeos@example.test", [.twinA, .twinB],
            "two clients with one address are both found"),
        finds("emailNobody", .email, "ninguem@example.test", [], "an address that nobody has finds nobody"),
    ]

    private static let nameTerms: [Check] = [
        finds("name", .name, "Ana Exemplo", [.complete], "a name finds its client, and no name that holds it"),
        finds("nameCase", .name, "ANA   exemplo", [.complete], "case and repeated spaces make no difference to a name"),
        finds("nameAccents", .name, "Célia Exemplo Sem Telefone", [.noPhone], "a name with accents is found"),
        finds("nameApostrophe", .name, "Joaquim d'Ávila Exemplo", [.onlyPhone], "a name with an apostrophe is found"),
        finds(
            "nameShared", .name, "Conceição Exemplo", [.namesakeA, .namesakeB], "two clients of one name are both found"
        ),
        finds(
            "nameSigns", .name, Role.signs.person.name, [.signs],
            "signs that filters give a meaning to are searched for as they are"),
        finds("namePart", .name, "Exemplo", [], "a part of a name finds nobody"),
    ]

    /// Texts that some system's filter or address would take for its own.
    private static let meddling = [
        "%", "_", "*", "%%%", "Ana%", "' OR '1'='1", "\" OR \"\"=\"", "Ana Exemplo&cpf=30000000205", "?nome=Ana", "../",
        "#",
        "\\", "(|(nome=*))", "Ana Exemplo,Joana Exemplo", "{id}",
    ]

    static let search: [Check] = [phoneTerms, cpfTerms, emailTerms, nameTerms, others].flatMap { $0 }

    private static let others: [Check] = [
        Check(
            .search, "eleven", "eleven digits are a phone and a CPF: both are found, each once",
            needs: [.search(.phone), .search(.cpf)]
        ) { stage in
            let bridge = stage.bridge { $0.searchBy = [.phone, .cpf] }
            let found = try await bridge.search("11987654374", Window(), stage.context())
            try stage.confirm(found, are: [.phoneIsCPF, .cpfIsPhone])
        },
        Check(
            .search, "complete", "what a search finds is the full record",
            needs: [.operation(.get), .search(.phone)]
        ) { stage in
            for role in [Role.complete, .threePhones, .mother] {
                guard let phone = role.person.phones.first else { continue }
                let found = try await stage.search(phone.digits, .phone)
                let id = try stage.id(role)
                let full = try await stage.get(role)
                try expect(
                    found.contains { $0.id == id && $0.wire == full.wire }, "the record of \(role.rawValue)",
                    found.contains { $0.id == id } ? "a part of it, or another one" : stage.names(found.map(\.id)))
            }
        },
        Check(
            .search, "everySpelling", "everybody is found by the phone on record, however it is written there",
            needs: [.search(.phone)]
        ) { stage in
            for role in Role.cast(without: stage.subject.gaps) {
                guard let phone = stage.person(role).phones.first else { continue }
                let found = try await stage.search(phone.digits, .phone).map(\.id)
                try expect(found.contains(try stage.id(role)), role.rawValue, stage.names(found))
            }
        },
        Check(
            .search, "everyCPF", "everybody is found by the CPF on record, however it is written there",
            needs: [.search(.cpf), .no(.member(.cpf))]
        ) { stage in
            for role in Role.cast(without: stage.subject.gaps) {
                guard let cpf = role.person.cpf else { continue }
                let found = try await stage.search(cpf.digits, .cpf).map(\.id)
                try expect(found.contains(try stage.id(role)), role.rawValue, stage.names(found))
            }
        },
        Check(
            .search, "smallerPages", "a system that serves smaller pages than it is asked for loses no match",
            needs: [.search(.phone)]
        ) { stage in
            guard await stage.world.limitPages(to: 1) else {
                throw Inapplicable(reason: "pages are not asked for by size, or this world cannot cut them")
            }
            try stage.confirm(
                try await stage.search(PhoneNumber.family.digits, .phone), are: [.mother, .father, .daughter, .son])
        },
        Check(.search, "empty", "in a clinic without clients nobody is found", .nobody) { stage in
            for kind in stage.bridge.options.searchBy {
                let found = try await stage.search(kind.sample, kind)
                try expect(found.isEmpty, "nobody by \(kind.rawValue)", "\(found.count) clients")
            }
        },
        Check(
            .search, "meddling", "a term that a filter could take for its own finds nobody", needs: [.search(.name)]
        ) { stage in
            for (place, term) in Self.meddling.enumerated() {
                do {
                    let found = try await stage.search(term, .name)
                    try expect(found.isEmpty, "nobody by term \(place)", stage.names(found.map(\.id)))
                } catch let error as ContractError {
                    // Refused rather than pasted in.
                    try expect(
                        error.code == .unsupported, "nobody by term \(place), or unsupported_by_system",
                        "the error \(error.code.rawValue)")
                }
            }
        },
        Check(
            .search, "candidates",
            "an attempt that is said to be exact or a superset finds every match in one call",
            needs: [.search(.cpf)]
        ) { stage in
            for (number, attempt) in (stage.subject.capabilities.searches[.cpf] ?? []).enumerated() {
                let size = attempt.paging.fixed ?? attempt.paging.maximum
                let term = SearchTerm.cpf(.of(30_000_000_116))
                let page = try await stage.driver.candidates(
                    for: term, attempt: number, .init(.offset(0), size: size), stage.context())
                guard attempt.trust != .unproven else { continue }
                let id = try stage.id(.complete)
                try expect(
                    page.clients.contains { $0.id == id }, "complete among the candidates",
                    stage.names(page.clients.map(\.id)))
                if attempt.trust == .exact {
                    try expect(page.clients.count == 1, "nobody else", "\(page.clients.count) candidates")
                }
            }
        },
        Check(.search, "unsupported", "a kind that the system cannot search by is said to be one") { stage in
            let missing = TermKind.allCases.filter { stage.subject.capabilities.searches[$0]?.isEmpty ?? true }
            guard !missing.isEmpty else { throw Inapplicable(reason: "the system can search by every kind") }
            for kind in missing {
                try await expectFailure(["unsupported_by_system"]) {
                    try await stage.search(kind.sample, kind)
                }
            }
        },
        Check(
            .search, "scan", "where a clinic allows it, such a kind is found by reading everybody",
            needs: [.operation(.list)]
        ) { stage in
            let capabilities = stage.subject.capabilities
            let kinds = [TermKind.name, .email].filter { kind in
                let field: ClientField = kind == .name ? .name : .email
                return capabilities.searches[kind]?.isEmpty ?? true && !capabilities.needsDetail.contains(field)
            }
            guard !kinds.isEmpty else { throw Inapplicable(reason: "rows show no kind that cannot be searched by") }
            for kind in kinds {
                let bridge = stage.bridge {
                    $0.searchBy = [kind]
                    $0.scan.allowed = true
                }
                let found = try await bridge.search(kind.sample, Window(), stage.context())
                try stage.confirm(found, are: [.complete])
            }
        },
    ]
}
