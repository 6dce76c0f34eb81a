import ClientContract

extension Check {
    static let list: [Check] = [
        Check(.list, "everybody", "a list without a limit holds everybody once", .crowd, needs: [.operation(.list)]) {
            stage in
            let ids = try await stage.list().map(\.id)
            try expect(
                Set(ids) == Set(stage.world.ids) && ids.count == stage.people,
                "\(stage.people) clients, each once", "\(ids.count) clients, \(Set(ids).count) different ones")
        },
        Check(.list, "order", "the order is the same each time", needs: [.operation(.list)]) { stage in
            let first = try await stage.list().map(\.id)
            let second = try await stage.list().map(\.id)
            try expect(first == second, "the same order", "another order")
        },
        Check(.list, "nobody", "a clinic without clients has an empty list", .nobody, needs: [.operation(.list)]) {
            stage in
            let clients = try await stage.list()
            try expect(clients.isEmpty, "nobody", "\(clients.count) clients")
        },
        Check(.list, "names", "each row has an id and the name on record", needs: [.operation(.list)]) { stage in
            for client in try await stage.list() {
                try expect(!client.id.text.isEmpty, "an id", "a row without one")
                guard let place = stage.world.ids.firstIndex(of: client.id) else {
                    throw Mismatch(expected: "people who are on record", came: "somebody else")
                }
                let role = Role.cast(without: stage.subject.gaps)[place]
                try expect(
                    PersonText.nameKey(client.name) == PersonText.nameKey(role.person.name),
                    "the name of \(role.rawValue)", "another name")
            }
        },
        Check(
            .list, "rowsAgree", "a row shows what the full record shows, but for members that rows lack",
            needs: [.operation(.list), .operation(.get)]
        ) { stage in
            let lacking = stage.subject.capabilities.needsDetail
            for row in try await stage.list() {
                let full = try await stage.bridge.client(row.id, stage.context())
                for field in ClientField.allCases where !lacking.contains(field) && field != .allPhones {
                    try expect(
                        row.text(field) == full.text(field),
                        "the same \(field.wireName) of \(stage.names([row.id])) in row and record",
                        row.has(field) ? (full.has(field) ? "another one" : "none in the record") : "none in the row")
                }
                let hidden = lacking.contains(.allPhones) || lacking.contains(.phone)
                try expect(
                    hidden || Set(row.allPhones) == Set(full.allPhones),
                    "all numbers of \(stage.names([row.id])) in the row", "other numbers than in the record")
            }
        },
        Check(
            .list, "completed", "members that rows lack come from the full records where a clinic wants them",
            needs: [.operation(.list), .operation(.get)]
        ) { stage in
            let bridge = stage.bridge { $0.listDetail = true }
            for row in try await stage.list(by: bridge) {
                let full = try await stage.bridge.client(row.id, stage.context())
                try expect(row.wire == full.wire, "the full record of \(stage.names([row.id]))", "another one")
            }
        },
        Check(
            .list, "calls", "no page is asked for that is not needed", .crowd, needs: [.operation(.list)]
        ) { stage in
            let paging = stage.subject.capabilities.listPaging
            let size = max(1, paging.fixed ?? paging.maximum)
            // The system may serve less than it is asked for.
            let page = try await stage.driver.page(.init(.offset(0), size: size), stage.context())
            let before = await stage.world.count(.list)
            // One more where it does not tell that a full page was the last.
            let most = paging.style == .single ? 1 : stage.people / max(1, min(size, page.rows)) + 2
            _ = try await stage.list()
            let calls = await stage.world.count(.list) - before
            try expect(calls <= most, "\(most) calls at most", "\(calls) calls")
        },
        Check(
            .list, "smallerPages", "a system that serves smaller pages than it is asked for loses nobody",
            needs: [.operation(.list)]
        ) { stage in
            let whole = Set(stage.world.ids)
            guard await stage.world.limitPages(to: 5) else {
                throw Inapplicable(reason: "pages are not asked for by size, or this world cannot cut them")
            }
            let ids = try await stage.list().map(\.id)
            try expect(
                Set(ids) == whole && ids.count == whole.count, "\(whole.count) clients, each once",
                "\(ids.count) clients, \(Set(ids).count) different ones")
            for window in [Window(limit: 7, offset: 9), Window(limit: 3, offset: 12), Window(offset: 14)] {
                let part = try await stage.list(window).map(\.id)
                let tail = ids.dropFirst(window.offset)
                let wanted = Array(window.limit.map { tail.prefix($0) } ?? tail)
                try expect(part == wanted, "\(wanted.count) clients from place \(window.offset) on", "\(part.count)")
            }
        },
        Check(.list, "changesNothing", "reading changes nothing", needs: [.operation(.list)]) { stage in
            _ = try await stage.list()
            let writes = await stage.world.count(.create) + stage.world.count(.update)
            try expect(writes == 0, "no write", "\(writes) writes")
        },
    ]

    // MARK: Windows

    /// A window by what it has to do with pages of `size` in a list of `count`.
    private typealias Frame = (name: String, window: @Sendable (_ size: Int, _ count: Int) -> Window)

    private static let frames: [Frame] = [
        ("nothing", { _, _ in Window(limit: 0) }),
        ("first", { _, _ in Window(limit: 1) }),
        ("last", { _, count in Window(limit: 1, offset: count - 1) }),
        ("onePage", { size, _ in Window(limit: size) }),
        ("onePageAndOne", { size, _ in Window(limit: size + 1) }),
        ("withinAPage", { _, _ in Window(limit: 7, offset: 3) }),
        ("acrossPages", { size, count in Window(limit: 7, offset: min(size, count) - 3) }),
        ("secondPage", { size, _ in Window(limit: size, offset: size) }),
        ("shiftedPage", { size, _ in Window(limit: size, offset: size / 2) }),
        ("primes", { _, _ in Window(limit: 13, offset: 101) }),
        ("allFromOffset", { size, _ in Window(offset: size + 1) }),
        ("beyondTheLast", { _, count in Window(limit: 5, offset: count - 2) }),
        ("behindTheEnd", { _, count in Window(limit: 5, offset: count) }),
        ("farBehindTheEnd", { size, count in Window(limit: 5, offset: count + 3 * size) }),
        ("moreThanThereAre", { _, count in Window(limit: count + 1_000) }),
    ]

    static let windows = framed + tiled

    private static let framed: [Check] =
        frames.map { frame in
            Check(
                .windows, frame.name, "limit and offset pick their part of the whole list", .crowd,
                needs: [.operation(.list)]
            ) { stage in
                let whole = try await stage.list().map(\.id)
                let paging = stage.subject.capabilities.listPaging
                let window = frame.window(max(1, paging.fixed ?? paging.maximum), whole.count)
                let part = try await stage.list(window).map(\.id)
                let tail = whole.dropFirst(window.offset)
                let wanted = Array(window.limit.map { tail.prefix($0) } ?? tail)
                try expect(
                    part == wanted, "\(wanted.count) clients from place \(window.offset) on",
                    part.count == wanted.count ? "others, or another order" : "\(part.count) clients")
            }
        }

    private static let tiled: [Check] = [
        Check(
            .windows, "tiles", "windows one after the other make the whole list", .crowd,
            needs: [.operation(.list)]
        ) { stage in
            let whole = try await stage.list().map(\.id)
            let step = max(37, whole.count / 12)
            var tiles: [ClientID] = []
            for offset in stride(from: 0, to: whole.count + step, by: step) {
                tiles += try await stage.list(Window(limit: step, offset: offset)).map(\.id)
            }
            try expect(
                tiles == whole, "\(whole.count) clients in their order",
                "\(tiles.count) clients, \(Set(tiles).count) different ones")
        },
        Check(
            .windows, "search", "limit and offset count matches of a search", needs: [.search(.phone)]
        ) { stage in
            let phone = PhoneNumber.family.digits
            let whole = try await stage.search(phone, .phone).map(\.id)
            for (limit, offset) in [(2, 0), (2, 1), (1, 3), (5, 2), (3, 4)] {
                let window = Window(limit: limit, offset: offset)
                let part = try await stage.search(phone, .phone, window).map(\.id)
                try expect(
                    part == Array(whole.dropFirst(offset).prefix(limit)),
                    "matches \(offset)..<\(min(whole.count, offset + limit))", stage.names(part))
            }
        },
    ]
}
