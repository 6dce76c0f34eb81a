import ClientContract
import JSONBytes
import Testing

private func text(_ client: Client) -> String { String(decoding: client.wire, as: UTF8.self) }
private func phone(_ text: String) throws -> PhoneNumber { try #require(PhoneNumber(text)) }

/// `#expect` cannot look into a value that cannot be copied.
private func check(_ condition: Bool, _ place: SourceLocation = #_sourceLocation) {
    #expect(condition, sourceLocation: place)
}

@Suite struct Clients {
    @Test func printsAsTheContractDoes() throws {
        let client = Client(
            id: ClientID("123"), name: "João Silva", description: "Cliente regular",
            phones: [try phone("5511999999999"), try phone("5521999999999")], cpf: CPF("12345678900"),
            image: "https://example.com/photo.jpg", email: "joao@example.com", birthday: Birthday("1990-01-01"))
        #expect(
            text(client) == #"{"id":"123","name":"João Silva","description":"Cliente regular","phone":"5511999999999","#
                + #""allPhones":["5511999999999","5521999999999"],"cpf":"123.456.789-00","#
                + #""image":"https://example.com/photo.jpg","email":"joao@example.com","birthday":"1990-01-01"}"#)
    }

    @Test func absentMembersAreLeftOut() {
        let client = Client(id: ClientID("1"), name: "")
        #expect(text(client) == #"{"id":"1","name":""}"#)
        #expect(client.has(.id) && client.has(.name))
        for field in ClientField.allCases where field != .id && field != .name {
            #expect(!client.has(field))
            #expect(client.text(field) == nil)
        }
        #expect(client.phone == nil && client.cpf == nil && client.email == nil && client.birthday == nil)
        #expect(client.allPhones.isEmpty)
        #expect(!text(Client(id: ClientID(""), name: "Ana")).contains("phone"))
    }

    @Test func textsSurviveWhateverTheyHold() throws {
        var random = Seeded(6)
        let alphabet: [Character] = [
            "\"", "\\", "/", "\n", "\u{0}", "\u{1F}", "\u{7F}", "é", "😀", "a", ",", "}", "]", "\u{2028}",
        ]
        for _ in 0..<2000 {
            func any() -> String {
                String(
                    (0..<Int.random(in: 0...12, using: &random)).map { _ in
                        alphabet.randomElement(using: &random) ?? "a"
                    })
            }
            let (id, name, description, image, email) = (any(), any(), any(), any(), any())
            let client = Client(
                id: ClientID(id), name: name, description: description, phones: [try phone("5511999999999")],
                image: image,
                email: email)
            #expect(client.id.text == id)
            #expect(client.name == name)
            #expect(client.text(.description) == description)
            #expect(client.text(.image) == image)
            #expect(client.email == email)
            #expect(client.phone?.digits == "5511999999999")
            let root = try JSONDocument(client.wire).root
            #expect(root.members.map(\.key) == ["id", "name", "description", "phone", "allPhones", "image", "email"])
            #expect(root["id"]?.string == id)
            #expect(root["name"]?.string == name)
            #expect(root["email"]?.string == email)
        }
    }

    @Test func eachLineOnceInItsFirstSpelling() throws {
        let client = Client(
            id: ClientID("1"), name: "Ana Teste",
            phones: [
                try phone("553188887777"), try phone("5531988887777"), try phone("551133334444"),
                try phone("553188887777"),
            ])
        #expect(client.phone?.digits == "553188887777")
        #expect(client.allPhones.map(\.digits) == ["553188887777", "551133334444"])
        #expect(text(client).contains(#""allPhones":["553188887777","551133334444"]"#))
        #expect(client.reaches(try phone("5531988887777")))
        #expect(client.reaches(try phone("551133334444")))
        #expect(!client.reaches(try phone("551133334445")))
        #expect(!Client(id: ClientID("1"), name: "Ana").reaches(try phone("551133334445")))
        #expect(client.text(.allPhones) == nil)
        #expect(client.text(.phone) == "553188887777")
    }

    @Test func generatedClientsReadBackAsTheyWereWritten() throws {
        var random = Seeded(7)
        var written: [(id: String, phones: [String], cpf: String, birthday: String)] = []
        var builder = ClientBuilder(capacity: 0)
        for number in 0..<3000 {
            let base = random.digits(9)
            let cpf = try #require(CPF(base + cpfChecks(base)))
            let birthday = try #require(
                Birthday(
                    year: Int.random(in: 1...9999, using: &random), month: Int.random(in: 1...12, using: &random),
                    day: Int.random(in: 1...28, using: &random)))
            var phones: [PhoneNumber] = []
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                let area = areaCodes.randomElement(using: &random) ?? 11
                phones.append(try phone("55\(area)9\(random.digits(8))"))
            }
            builder.begin()
            builder.set(birthday: birthday)
            for phone in phones { builder.add(phone: phone) }
            builder.set(cpf: cpf)
            builder.set(.id, String(number))
            check(builder.end())
            written.append((String(number), phones.map(\.digits), cpf.digits, birthday.iso))
        }
        let clients = builder.finish()
        #expect(clients.count == written.count)
        for (client, expected) in zip(clients, written) {
            #expect(client.id.text == expected.id)
            #expect(client.name == "")
            #expect(client.cpf?.digits == expected.cpf)
            #expect(client.birthday?.iso == expected.birthday)
            #expect(client.allPhones.map(\.digits) == expected.phones)
            #expect(client.phone?.digits == expected.phones.first)
            let root = try JSONDocument(client.wire).root
            #expect(root["allPhones"]?.elements.compactMap(\.string) ?? [] == expected.phones)
        }
    }

    @Test func writesWhatItIs() throws {
        let client = Client(id: ClientID("1"), name: "Ana Teste", phones: [try phone("5511999999999")])
        var writer = JSONWriter()
        writer.raw("[")
        client.write(to: &writer)
        writer.raw("]")
        #expect(writer.finish() == utf8("[") + client.wire + utf8("]"))
    }
}

@Suite struct Builders {
    @Test func aClientWithoutAnIDIsDropped() {
        var builder = ClientBuilder()
        builder.begin()
        builder.set(.name, "Ana Teste")
        check(!builder.end())
        builder.begin()
        builder.set(.id, "")
        check(!builder.end())
        builder.begin()
        builder.set(.id, "2")
        check(builder.end())
        let clients = builder.finish()
        #expect(clients.map(\.id.text) == ["2"])
        #expect(clients.map(text) == [#"{"id":"2","name":""}"#])
    }

    @Test func nothingOfOneClientReachesTheNext() throws {
        var builder = ClientBuilder()
        builder.begin()
        builder.set(.id, "1")
        builder.set(.email, "ana@example.test")
        builder.add(phone: try phone("5511999999999"))
        check(builder.end())
        builder.begin()
        builder.set(.id, "2")
        check(builder.end())
        check(builder.finish().map(text).last == #"{"id":"2","name":""}"#)
    }

    @Test func aMemberSetTwiceKeepsItsFirstValue() throws {
        var builder = ClientBuilder()
        builder.begin()
        builder.set(.id, "1")
        builder.set(.id, "2")
        builder.set(.name, "Ana")
        builder.set(.name, "Bruno")
        builder.set(cpf: try #require(CPF("12345678900")))
        builder.set(cpf: try #require(CPF("12345678909")))
        builder.set(birthday: try #require(Birthday("1990-01-01")))
        builder.set(birthday: try #require(Birthday("1991-01-01")))
        check(builder.end())
        check(
            builder.finish().map(text)
                == [#"{"id":"1","name":"Ana","cpf":"123.456.789-00","birthday":"1990-01-01"}"#])
    }

    @Test func aPhoneGivenAsTextIsReadAndNeverWrittenAsItIs() {
        var builder = ClientBuilder()
        builder.begin()
        builder.set(.id, "1")
        builder.set(.phone, "(11) 99999-9999")
        builder.set(.allPhones, #"x","y"#)
        builder.set(.allPhones, "21 3333-4444")
        check(builder.end())
        check(
            builder.finish().map(text)
                == [#"{"id":"1","name":"","phone":"5511999999999","allPhones":["5511999999999","552133334444"]}"#])
    }

    @Test func membersOfADocumentKeepTheirText() throws {
        let document = try JSONDocument(
            utf8(
                #"{"id":9007199254740993,"name":"Jo\u00e3o \"\\\ud83d\ude00\n","email":null,"image":{"a":1},"fone":"11\u0020999999999"}"#
            ))
        var builder = ClientBuilder()
        document.withView { view in
            builder.begin()
            for (field, name) in [
                (ClientField.id, "id"), (.name, "name"), (.email, "email"), (.image, "image"), (.phone, "fone"),
            ] {
                if let index = view.member(utf8(name), of: 0) { builder.set(field, view, index) }
            }
            _ = builder.end()
        }
        let client = try #require(builder.finish().first)
        #expect(client.id.text == "9007199254740993")
        #expect(client.name == "João \"\\😀\n")
        #expect(!client.has(.email) && !client.has(.image))
        #expect(client.phone?.digits == "5511999999999")
        #expect(try JSONDocument(client.wire).root["name"]?.string == "João \"\\😀\n")
    }
}

@Suite struct Applying {
    @Test func changesWhatThePatchNamesAndNothingElse() throws {
        let client = Client(
            id: ClientID("7"), name: "Ana \"A\"", description: "nota\n", phones: [try phone("553188887777")],
            cpf: CPF("12345678900"), image: "https://example.test/a.jpg", email: "ana@example.test",
            birthday: Birthday("1990-01-01"))
        #expect(text(client.applying(ClientPatch())) == text(client))
        let patched = client.applying(ClientPatch(email: "ana.nova@example.test", birthday: Birthday("1991-02-03")))
        #expect(
            text(patched)
                == text(client).replacing("ana@example.test", with: "ana.nova@example.test")
                .replacing("1990-01-01", with: "1991-02-03"))
        let all = client.applying(
            ClientPatch(
                name: "Bruno", email: "b@example.test", cpf: CPF("12345678909"), birthday: Birthday("2000-02-29")))
        #expect(all.name == "Bruno")
        #expect(all.email == "b@example.test")
        #expect(all.cpf?.digits == "12345678909")
        #expect(all.birthday?.iso == "2000-02-29")
        #expect(all.id.text == "7")
        #expect(all.text(.description) == "nota\n")
        #expect(all.allPhones.map(\.digits) == ["553188887777"])
        // The first is as it was.
        #expect(client.name == "Ana \"A\"")
    }

    @Test func addsWhatWasAbsentAndKeepsWhatItCannotRead() {
        var builder = ClientBuilder()
        builder.begin()
        builder.set(.birthday, "15 de março")
        builder.set(.id, "1")
        builder.set(.cpf, "em falta")
        _ = builder.end()
        let clients = builder.finish()
        #expect(clients.map(\.birthday) == [nil])
        #expect(clients.map(\.cpf) == [nil])
        #expect(
            clients.map { text($0.applying(ClientPatch(email: "ana@example.test"))) }
                == [#"{"id":"1","name":"","cpf":"em falta","email":"ana@example.test","birthday":"15 de março"}"#])
    }
}
