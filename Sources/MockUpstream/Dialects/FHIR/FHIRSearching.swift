import JSONBytes

extension FHIRDialect {
    func fields(of request: MockRequest) -> [(name: String, value: String)] {
        request.method == "POST"
            ? MockRequest.parameters(of: String(decoding: request.body, as: UTF8.self)) : request.parameters
    }

    func filters(_ fields: [(name: String, value: String)]) -> [(name: String, value: String)] {
        fields.filter { flavour.parameters.contains(String($0.name.prefix { $0 != ":" })) && !$0.value.isEmpty }
    }

    mutating func search(_ request: MockRequest, _ now: Double) -> MockAnswer {
        let fields = fields(of: request)
        let filters = filters(fields)
        let controls = ["_count", "_sort", "_page_token", "ct", "_getpages", "_getpagesoffset", "_elements"]
        let prefers = request.values(ofHeader: "Prefer").joined(separator: ",")
        let unknown = fields.first { field in
            !controls.contains(field.name) && !filters.contains { $0.name == field.name }
        }
        if let unknown {
            let refuses =
                switch flavour.unknown {
                case .refused: !prefers.contains("handling=lenient")
                case .ignored: prefers.contains("handling=strict")
                case .alwaysIgnored: false
                }
            if refuses { return outcome(400, "invalid", "Unknown search parameter \"\(unknown.name)\"") }
        }
        let asked = filters.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        let rows: [Int]
        let mayCache = flavour.cachesSearches && request.values(ofHeader: "Cache-Control").last != "no-cache"
        if mayCache, let kept = cache[asked], now - kept.at < 60 {
            rows = kept.rows
        } else {
            // One identifier, with its system, and nothing else.
            let isAtOnce =
                filters.count == 1 && filters[0].name == "identifier" && filters[0].value.contains("|")
                && alternatives(filters[0].value).count == 1
            rows = (0..<count).filter { row in
                if filters.isEmpty { return unindexed[row].map { $0.bytes != nil } ?? true }
                guard let keys = isAtOnce ? keys(row) : indexedKeys(row) else { return false }
                return filters.allSatisfy { holds($0, keys) }
            }
            if flavour.cachesSearches { cache[asked] = (rows, now) }
        }
        let wanted = fields.last { $0.name == "_count" }.flatMap { Int($0.value) } ?? flavour.pages.usual
        let size = min(max(1, wanted), flavour.pages.most)
        let token = fields.last { $0.name == "ct" || $0.name == "_page_token" }?.value
        let start = token.flatMap { Int($0.dropFirst("t".count)) } ?? 0
        let kept = filters + fields.filter { ["_count", "_sort"].contains($0.name) }
        return bundle(rows, from: start, size: size, kept, unknown: unknown?.name, request)
    }

    func keptPage(_ key: String, _ request: MockRequest) -> MockAnswer {
        guard let rows = searches[key] else { return outcome(410, "not-found", "Search ID does not exist") }
        let start = request.parameter("_getpagesoffset").flatMap { Int($0) } ?? 0
        let size = min(request.parameter("_count").flatMap { Int($0) } ?? flavour.pages.usual, flavour.pages.most)
        return page(rows, from: start, size: size, links: links(rows, start, size, key: key, [], request), unknown: nil)
    }

    func holds(_ filter: (name: String, value: String), _ keys: FHIRPatient.Keys) -> Bool {
        alternatives(filter.value).contains { wanted in
            switch filter.name {
            case "identifier":
                let parts = wanted.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false).map(
                    String.init)
                return keys.identifiers.contains { identifier in
                    parts.count == 2
                        ? (parts[0].isEmpty || identifier.system == parts[0]) && same(identifier.value, parts[1])
                        : same(identifier.value, wanted)
                }
            case "phone": return keys.phones.contains { same($0, wanted) }
            case "email": return keys.emails.contains { same($0, wanted) }
            case "telecom": return keys.telecoms.contains { same($0, wanted) }
            // The beginning of any part, without case and accents.
            case "name", "family", "given": return keys.names.contains { $0.hasPrefix(Text.folded(wanted)) }
            default: return false
            }
        }
    }

    func same(_ stored: String, _ wanted: String) -> Bool {
        flavour.mindsCase ? stored == wanted : stored.lowercased() == wanted.lowercased()
    }

    /// A value's alternatives: split at commas that no backslash escapes.
    func alternatives(_ text: String) -> [String] {
        var alternatives = [""]
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if isEscaped || (scalar != "\\" && scalar != ",") {
                alternatives[alternatives.count - 1].unicodeScalars.append(scalar)
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                alternatives.append("")
            }
        }
        return alternatives
    }

    // MARK: Bundles

    mutating func bundle(
        _ rows: [Int], from start: Int, size: Int, _ kept: [(name: String, value: String)], unknown: String?,
        _ request: MockRequest
    ) -> MockAnswer {
        let key = "search-\(searches.count + 1)"
        if flavour.links == .getPages, start + size < rows.count { searches[key] = rows }
        return page(
            rows, from: start, size: size, links: links(rows, start, size, key: key, kept, request), unknown: unknown)
    }

    /// The relations and addresses of a page.
    func links(
        _ rows: [Int], _ start: Int, _ size: Int, key: String, _ kept: [(name: String, value: String)],
        _ request: MockRequest
    ) -> [(relation: String, url: String)] {
        guard flavour.links != .none else { return [] }
        let base = "http://\(request.values(ofHeader: "Host").last ?? "localhost")\(basePath)"
        func query(_ fields: [(name: String, value: String)]) -> String {
            fields.map { "\(Text.encoded($0.name))=\(Text.encoded($0.value))" }.joined(separator: "&")
        }
        let mine = base + "/Patient" + (kept.isEmpty ? "" : "?" + query(kept))
        var links = [(relation: "self", url: mine)]
        guard start + size < rows.count else { return links }
        let next = start + size
        switch flavour.links {
        case .getPages:
            let page = [("_getpages", key), ("_getpagesoffset", String(next)), ("_count", String(size))]
            links.append(("next", base + "?" + query(page.map { (name: $0.0, value: $0.1) })))
        case .continuation: links.append(("next", base + "/Patient?" + query(kept + [("ct", "t\(next)")])))
        case .pageToken: links.append(("next", base + "/Patient/?" + query(kept + [("_page_token", "t\(next)")])))
        case .none: break
        }
        return links
    }

    func page(
        _ rows: [Int], from start: Int, size: Int, links: [(relation: String, url: String)], unknown: String?
    ) -> MockAnswer {
        let range = start < rows.count ? start..<min(start + size, rows.count) : 0..<0
        var json = JSONWriter(capacity: 1024 * range.count + 512)
        json.raw(#"{"resourceType":"Bundle","type":"searchset""#)
        // Not every server counts.
        if flavour.links != .continuation {
            json.raw(#","total":"#)
            json.number(rows.count)
        }
        json.raw(#","link":["#)
        for link in links {
            json.comma()
            json.raw(#"{"relation":"#)
            json.string(link.relation)
            json.raw(#","url":"#)
            json.string(link.url)
            json.raw("}")
        }
        json.raw("]")
        if !range.isEmpty || unknown != nil {
            json.raw(#","entry":["#)
            if let unknown, flavour == .azure {
                json.raw(#"{"resource":{"resourceType":"OperationOutcome","issue":[{"severity":"warning","#)
                json.raw(#""code":"not-supported","diagnostics":"#)
                json.string("The search parameter '\(unknown)' is not supported")
                json.raw(#"}]},"search":{"mode":"outcome"}}"#)
            }
            for index in range {
                json.comma()
                json.raw(#"{"resource":"#)
                json.raw(resource(rows[index]))
                json.raw(#","search":{"mode":"match"}}"#)
            }
            json.raw("]")
        }
        json.raw("}")
        return answer(200, json.finish())
    }
}
