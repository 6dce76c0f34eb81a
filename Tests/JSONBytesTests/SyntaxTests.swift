import JSONBytes
import Testing

@Suite("What is JSON and what is not")
struct SyntaxTests {
    @Test("accepted, with the value it says", arguments: Accepted.all)
    func accepted(_ sample: Accepted) throws {
        let document = try document(sample.text)
        let expected = sample.expected()
        #expect(Tree(document.root) == expected)
        #expect(document.withView { Tree($0, 0) } == expected)
        // Nothing but the white space around it stands outside the root.
        #expect(String(decoding: document.root.source, as: UTF8.self) == sample.text.trimmed)
    }

    @Test("refused, with reason and place", arguments: Refused.all)
    func refused(_ sample: Refused) throws {
        let fault = try #require(refusal(sample.bytes))
        #expect(fault.reason == sample.reason)
        #expect(fault.offset == sample.offset)
    }

    @Test("left open by the RFC, decided here", arguments: Open.all)
    func open(_ sample: Open) throws {
        switch sample.outcome {
        case .number(let int, let double):
            let value = try JSONDocument(sample.bytes).root
            #expect(value.int == int)
            #expect(value.double == double)
            #expect(value.scalarText == String(decoding: sample.bytes, as: UTF8.self))
        case .text(let text, let lone):
            let value = try JSONDocument(sample.bytes).root
            #expect(value.string == text)
            #expect(value.hasLoneSurrogate == lone)
            // As a key it reads the same.
            let object = try JSONDocument(Array("{".utf8) + sample.bytes + Array(":1}".utf8)).root
            #expect(object.members.map(\.key) == [text])
            #expect(object[text]?.int == 1)
        case .refused(let reason, let offset):
            let fault = try #require(refusal(sample.bytes))
            #expect(fault.reason == reason)
            #expect(fault.offset == offset)
        }
    }

    @Test("there are enough cases, and no hexadecimal is misspelt")
    func corpus() {
        #expect(Accepted.all.count + Refused.all.count + Open.all.count >= 400)
        #expect(Refused.all.filter { $0.bytes.isEmpty }.count == 1)
        #expect(Open.all.allSatisfy { !$0.bytes.isEmpty })
    }

    @Test("every byte, alone", arguments: UInt8.min...UInt8.max)
    func loneByte(_ byte: UInt8) throws {
        let isDigit = (0x30...0x39).contains(byte)
        #expect(accepts([byte]) == isDigit)
        // Between complete values only white space may stand.
        let isSpace = [0x20, 0x09, 0x0A, 0x0D].contains(byte)
        #expect(accepts([byte] + Array("[]".utf8)) == isSpace)
        #expect(accepts(Array("[]".utf8) + [byte]) == isSpace)
        #expect(accepts(Array("[1".utf8) + [byte] + Array(",2]".utf8)) == (isSpace || isDigit))
    }

    @Test("every byte inside a string, at each alignment", arguments: UInt8.min...UInt8.max)
    func byteInString(_ byte: UInt8) throws {
        for before in 0...17 {
            for after in [0, 1, 7, 8, 9] {
                let body = [UInt8](repeating: 0x61, count: before) + [byte] + [UInt8](repeating: 0x62, count: after)
                let bytes = [0x22] + body + [0x22]
                switch byte {
                case 0x22:
                    // Closes the string; what comes after it is too much.
                    #expect(refusal(bytes)?.reason == .trailingBytes)
                    #expect(refusal(bytes)?.offset == before + 2)
                case 0x5C:
                    // An escape of `b`, or of the closing quote.
                    #expect(refusal(bytes)?.reason == (after == 0 ? .unterminated : nil))
                case 0..<0x20:
                    #expect(refusal(bytes)?.reason == .controlCharacter)
                    #expect(refusal(bytes)?.offset == before + 1)
                case 0x80...:
                    #expect(refusal(bytes)?.reason == .invalidUTF8)
                    #expect(refusal(bytes)?.offset == before + 1)
                default:
                    #expect(try JSONDocument(bytes).root.string == String(decoding: body, as: UTF8.self))
                }
            }
        }
    }

    @Test("every byte after a backslash", arguments: UInt8.min...UInt8.max)
    func byteAfterBackslash(_ byte: UInt8) {
        let simple: [UInt8: UInt8] = [
            0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x62: 0x08, 0x66: 0x0C, 0x6E: 0x0A, 0x72: 0x0D, 0x74: 0x09,
        ]
        let bytes: [UInt8] = [0x22, 0x5C, byte, 0x22]
        if let decoded = simple[byte] {
            #expect((try? JSONDocument(bytes))?.root.string == String(Unicode.Scalar(decoded)))
        } else {
            #expect(refusal(bytes)?.reason == .badEscape)
            #expect(refusal(bytes)?.offset == 1)
        }
    }

    @Test("every cut of a valid document is refused")
    func cuts() throws {
        let whole = Array(
            "{\"nome\":\"Ana Teste\",\"é\":[1,-2.5e+3,true,false,null,\"\\u00e7\\ud83d\\ude39\\n\u{1f600}\",{},[]],\"z\":{\"y\":[[]]}}"
                .utf8)
        #expect(accepts(whole))
        for length in 0..<whole.count {
            let fault = try #require(refusal(Array(whole[..<length])), "cut after \(length) bytes")
            #expect(fault.offset <= length)
        }
        for sample in Accepted.structures + Accepted.strings {
            let bytes = Array(sample.text.trimmed.utf8)
            for length in 0..<bytes.count {
                // A number cut short may still be a number; nothing else may.
                if "0123456789.".utf8.contains(bytes[0]) || bytes[0] == 0x2D { continue }
                #expect(!accepts(Array(bytes[..<length])), "\(sample.name), cut after \(length) bytes")
            }
        }
    }

    @Test("an error says where, counts lines and bytes, and quotes nothing")
    func place() throws {
        let fault = try #require(refusal(Array("{\n  \"é\": 1,\r\n\t\"CPF\": 529x\n}".utf8)))
        #expect(fault.line == 3)
        #expect(fault.column == 12)
        #expect(fault.reason == .unexpectedByte)
        #expect(!"\(fault)".contains("529"))
        #expect("\(fault)".hasSuffix("(line 3, column 12)"))
        let value = try document("[1,\n  {\"a\":\n \"b\"}]")
        #expect(try #require(value.root[JSONPointer("/1") ?? .root]).position == (2, 3))
        #expect(try #require(value.root[JSONPointer("/1/a") ?? .root]).position == (3, 2))
        #expect(value.root.position == (1, 1))
    }
}

extension String {
    /// Without the white space of JSON around it.
    var trimmed: String {
        let spaces: [Unicode.Scalar] = [" ", "\t", "\r", "\n"]
        let scalars = unicodeScalars.drop { spaces.contains($0) }.reversed().drop { spaces.contains($0) }.reversed()
        return String(String.UnicodeScalarView(scalars))
    }
}
