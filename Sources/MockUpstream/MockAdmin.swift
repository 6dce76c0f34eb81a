import JSONBytes

/// The mock's own routes, under `/__mock/`, for those who drive it from outside.
extension MockState {
    /// The answer to one of the mock's own routes; nil if the request is for the clinic system.
    func adminAnswer(to request: MockRequest) -> MockAnswer? {
        guard request.path.hasPrefix("/__mock/") else { return nil }
        switch (request.method, request.path.dropFirst("/__mock/".count)) {
        case ("GET", "faults"): return MockAnswer(200, faultList())
        case ("POST", "faults"):
            guard let rule = Self.rule(request.body) else { return Self.adminFailure(422, Self.ruleHelp) }
            add(rule)
            return MockAnswer(201, faultList())
        case ("DELETE", "faults"):
            clearFaults()
            return MockAnswer(200, faultList())
        case ("GET", "requests"): return MockAnswer(200, requestCounts())
        case ("DELETE", "requests"):
            requests.reset()
            return MockAnswer(200, requestCounts())
        case ("POST", "expire-tokens"):
            expireTokens()
            return MockAnswer(200, "{}")
        case ("POST", "release-reads"):
            releaseReads()
            return MockAnswer(200, "{}")
        case ("POST", "advance-clock"):
            guard let seconds = (try? JSONDocument(request.body))?.root["seconds"]?.double, seconds >= 0 else {
                return Self.adminFailure(422, "expected {\"seconds\": n}")
            }
            advanceClock(seconds: seconds)
            return MockAnswer(200, "{}")
        default: return Self.adminFailure(404, "no such route of the mock")
        }
    }

    static func adminFailure(_ status: Int, _ message: String) -> MockAnswer {
        var json = JSONWriter()
        json.raw(#"{"error":"#)
        json.string(message)
        json.raw("}")
        return MockAnswer(status, json.finish())
    }

    private static let ruleHelp =
        #"expected {"fault": name, "argument": text, "operation": name, "times": n, "after": n}; only "fault" is required"#

    private static func rule(_ body: [UInt8]) -> MockFaultRule? {
        guard let root = try? JSONDocument(body).root, let name = root["fault"]?.string,
            root.members.allSatisfy({ ["fault", "argument", "operation", "times", "after"].contains($0.key) }),
            let fault = MockFault(name: name, argument: root["argument"]?.scalarText)
        else { return nil }
        var rule = MockFaultRule(fault)
        if let operation = root["operation"], !operation.isNull {
            guard let named = operation.string.flatMap(MockOperation.init(rawValue:)) else { return nil }
            rule.operation = named
        }
        if let times = root["times"], !times.isNull {
            guard let count = times.int, count > 0 else { return nil }
            rule.times = count
        }
        if let after = root["after"], !after.isNull {
            guard let count = after.int, count >= 0 else { return nil }
            rule.after = count
        }
        return rule
    }

    private func faultList() -> [UInt8] {
        var json = JSONWriter()
        json.raw(#"{"faults":["#)
        for rule in faults {
            json.comma()
            json.raw(#"{"fault":"#)
            json.string(rule.fault.name)
            json.raw(#","argument":"#)
            if let argument = rule.fault.argument { json.string(argument) } else { json.null() }
            json.raw(#","operation":"#)
            if let operation = rule.operation { json.string(operation.rawValue) } else { json.null() }
            json.raw(#","times":"#)
            if let times = rule.times { json.number(times) } else { json.null() }
            if rule.after > 0 {
                json.raw(#","after":"#)
                json.number(rule.after)
            }
            json.raw("}")
        }
        json.raw("]}")
        return json.finish()
    }

    private func requestCounts() -> [UInt8] {
        var json = JSONWriter()
        json.raw(#"{"connections":"#)
        json.number(requests.connections)
        json.raw(#","total":"#)
        json.number(requests.total)
        json.raw(#","operations":{"#)
        let counts = requests.counts
        for operation in MockOperation.allCases {
            json.comma()
            json.key(operation.rawValue)
            json.number(counts[operation] ?? 0)
        }
        json.raw("}}")
        return json.finish()
    }
}
