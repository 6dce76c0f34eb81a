import DriverSupport
import JSONBytes
import Testing

@testable import RESTDriver

/// A tree that edits are made on one by one, to compare with.
private indirect enum Model {
    case raw(String)
    case object([(String, Model)])
    case array([Model])

    init(_ value: JSONValue) {
        switch value.kind {
        case .object: self = .object(value.members.map { ($0.key, Model($0.value)) })
        case .array: self = .array(value.elements.map { Model($0) })
        default: self = .raw(String(decoding: value.source, as: UTF8.self))
        }
    }

    var text: String {
        switch self {
        case .raw(let text): text
        case .object(let members): "{" + members.map { "\"\($0.0)\":\($0.1.text)" }.joined(separator: ",") + "}"
        case .array(let elements): "[" + elements.map(\.text).joined(separator: ",") + "]"
        }
    }

    /// Objects only: a step that meets anything else replaces it by an object.
    mutating func set(_ path: ArraySlice<String>, _ value: Model) {
        guard let step = path.first else {
            self = value
            return
        }
        var members: [(String, Model)] = if case .object(let own) = self { own } else { [] }
        if let index = members.firstIndex(where: { $0.0 == step }) {
            members[index].1.set(path.dropFirst(), value)
        } else {
            var child = Model.object([])
            child.set(path.dropFirst(), value)
            members.append((step, child))
        }
        self = .object(members)
    }

    mutating func remove(_ path: ArraySlice<String>) {
        guard let step = path.first, case .object(var members) = self,
            let index = members.firstIndex(where: { $0.0 == step })
        else { return }
        if path.count == 1 { members.remove(at: index) } else { members[index].1.remove(path.dropFirst()) }
        self = .object(members)
    }
}

@Suite struct JSONEditsTests {
    private func edited(_ source: String, foldCase: Bool = false, _ body: (inout JSONEdits) throws -> Void) throws
        -> String
    {
        var edits = JSONEdits(foldCase: foldCase)
        try body(&edits)
        return String(decoding: edits.apply(to: try JSONDocument(Array(source.utf8)).root), as: UTF8.self)
    }

    private func pointer(_ text: String) throws -> JSONPointer { try #require(JSONPointer(text)) }

    private func document(_ random: inout Seeded, depth: Int) -> String {
        if depth == 0 || Int.random(in: 0..<3, using: &random) == 0 {
            return ["1", "\"x\"", "null", "true", "{}", "1e5", "\"\\u00e3\""].randomElement(using: &random) ?? "0"
        }
        let names = ["a", "b", "c", "d"].shuffled(using: &random).prefix(Int.random(in: 0...4, using: &random))
        return "{" + names.map { "\"\($0)\":" + document(&random, depth: depth - 1) }.joined(separator: ",") + "}"
    }

    @Test func randomEditsAreWhatTheModelSays() throws {
        var random = Seeded(1)
        for round in 0..<3_000 {
            let source = document(&random, depth: 3)
            guard source.hasPrefix("{") else { continue }
            var model = Model(try JSONDocument(Array(source.utf8)).root)
            var edits = JSONEdits()
            var told: [String] = []
            var set: [[String]] = []
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                let path = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                    ["a", "b", "c", "e"].randomElement(using: &random) ?? "a"
                }
                let pointer = try pointer("/" + path.joined(separator: "/"))
                // An object that was made only for a member that goes again is a matter of taste.
                let undoes = path.count > 1 && set.contains { $0.starts(with: path) }
                if Int.random(in: 0..<4, using: &random) == 0, !undoes {
                    told.append("-\(pointer)")
                    edits.remove(pointer)
                    model.remove(path[...])
                } else {
                    let value = document(&random, depth: 1)
                    told.append("\(pointer)=\(value)")
                    edits.set(pointer, Array(value.utf8))
                    set.append(path)
                    model.set(path[...], Model(try JSONDocument(Array(value.utf8)).root))
                }
            }
            let result = edits.apply(to: try JSONDocument(Array(source.utf8)).root)
            // Order of members that are new is free; everything else is not.
            #expect(sorted(result) == sorted(Array(model.text.utf8)), "round \(round): \(source) with \(told)")
        }
    }

    private func sorted(_ bytes: [UInt8]) -> String {
        func text(_ value: JSONValue) -> String {
            switch value.kind {
            case .object:
                "{" + value.members.map { "\($0.key):" + text($0.value) }.sorted().joined(separator: ",") + "}"
            case .array: "[" + value.elements.map(text).joined(separator: ",") + "]"
            default: String(decoding: value.source, as: UTF8.self)
            }
        }
        return (try? JSONDocument(bytes)).map { text($0.root) } ?? "not JSON: " + String(decoding: bytes, as: UTF8.self)
    }

    @Test func whatIsNotNamedStaysByteForByte() throws {
        let source = #"{ "a" : 1.0e0, "x\u00e3" : [ 1 ,2 ] , "n":{"k" : "\/"}, "big":12345678901234567890 }"#
        let result = try edited(source) { $0.set(try pointer("/a"), Array("2".utf8)) }
        #expect(result == #"{"a":2,"x\u00e3":[ 1 ,2 ],"n":{"k" : "\/"},"big":12345678901234567890}"#)
    }

    @Test func arraysKeepTheirOtherElements() throws {
        #expect(
            try edited(#"{"l":[1, {"b":2,"c":3},4]}"#) { $0.set(try pointer("/l/1/b"), Array("9".utf8)) }
                == #"{"l":[1,{"b":9,"c":3},4]}"#)
        #expect(try edited(#"{"l":[1]}"#) { $0.set(try pointer("/l/5"), Array("9".utf8)) } == #"{"l":[1,9]}"#)
        #expect(try edited(#"{"l":[]}"#) { $0.set(try pointer("/l/0/x"), Array("9".utf8)) } == #"{"l":[{"x":9}]}"#)
        #expect(try edited(#"{"l":null}"#) { $0.set(try pointer("/l/0/x"), Array("9".utf8)) } == #"{"l":[{"x":9}]}"#)
        #expect(try edited(#"{"l":[1,2,3]}"#) { $0.remove(try pointer("/l/1")) } == #"{"l":[1,3]}"#)
        #expect(try edited(#"{"l":[1,2]}"#) { $0.remove(try pointer("/l/7")) } == #"{"l":[1,2]}"#)
    }

    @Test func repeatedAndEscapedKeys() throws {
        #expect(try edited(#"{"a":1,"a":2}"#) { $0.set(try pointer("/a"), Array("3".utf8)) } == #"{"a":3,"a":3}"#)
        #expect(try edited(#"{"\u0061":1}"#) { $0.set(try pointer("/a"), Array("3".utf8)) } == #"{"\u0061":3}"#)
        #expect(
            try edited(#"{"Nome":1}"#, foldCase: true) { $0.set(try pointer("/nome"), Array("3".utf8)) }
                == #"{"Nome":3}"#)
        #expect(try edited(#"{"Nome":1}"#) { $0.set(try pointer("/nome"), Array("3".utf8)) } == #"{"Nome":1,"nome":3}"#)
        #expect(try edited(#"{"a~b/c":1}"#) { $0.set(try pointer("/a~0b~1c"), Array("3".utf8)) } == #"{"a~b/c":3}"#)
    }

    @Test func withoutADocumentTheChangesAreAll() throws {
        var edits = JSONEdits()
        edits.set(try pointer("/a/b"), Array("1".utf8))
        edits.set(try pointer("/l/0"), Array("2".utf8))
        edits.remove(try pointer("/z"))
        #expect(String(decoding: edits.apply(to: nil), as: UTF8.self) == #"{"a":{"b":1},"l":[2]}"#)
        #expect(String(decoding: JSONEdits().apply(to: nil), as: UTF8.self) == "{}")
    }
}
