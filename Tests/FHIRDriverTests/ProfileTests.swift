import ClientContract
import Foundation
import JSONBytes
import StrictConfig
import Testing
import UpstreamDriver

@testable import FHIRDriver

/// Profiles, their faults and their schema.
@Suite struct ProfileTests {
    private func schema() throws -> JSONValue {
        let file = Sample.repository.appending(path: "Config/schema/fhir-profile.schema.json")
        return try JSONDocument(Array(Data(contentsOf: file))).root
    }

    /// The schema of a place in a profile.
    private func schema(at place: String) throws -> JSONValue {
        var node = try schema()
        for step in place.split(separator: "/") {
            if step == "0" {
                node = try #require(node["items"])
            } else if step == "x" {
                node = try #require(node["additionalProperties"])
            } else {
                node = try #require(node["properties"]?[String(step)], "\(place)")
            }
        }
        return node
    }

    @Test(arguments: FHIRMembers.tables) func theSchemaKnowsWhatTheReaderKnows(_ place: String, _ members: [String])
        throws
    {
        let node = try schema(at: place)
        let known = try #require(node["properties"]).members.map(\.key).filter { !$0.hasPrefix("$") }
        #expect(known.sorted() == members.sorted())
        #expect(node["additionalProperties"]?.bool == false)
        for member in node["properties"]?.members ?? [] where !member.key.hasPrefix("$") {
            #expect(member.value["description"]?.string?.isEmpty == false, "\(place)/\(member.key)")
        }
    }

    @Test func theSchemaKnowsTheChoices() throws {
        func choices(_ place: String) throws -> [String] {
            let node = try schema(at: place)
            return try #require(node["enum"] ?? node["items"]?["enum"]).elements.compactMap(\.string).sorted()
        }
        func all<Choice: RawRepresentable & CaseIterable>(_ type: Choice.Type) -> [String]
        where Choice.RawValue == String { Choice.allCases.map(\.rawValue).sorted() }
        #expect(try choices("/phones/search") == all(PhoneSpelling.self))
        #expect(try choices("/phones/write") == all(PhoneSpelling.self))
        #expect(try choices("/cpf/spelling") == all(CPFSpelling.self))
        #expect(try choices("/emails/search") == all(EmailSpelling.self))
        #expect(try choices("/names/write") == all(NameForm.self))
        #expect(try choices("/names/search") == all(NameSearch.self))
        #expect(try choices("/create/style") == all(FHIRPlan.CreateStyle.self))
        #expect(try choices("/update/style") == all(FHIRPlan.UpdateStyle.self))
        #expect(try choices("/search/method") == all(FHIRPlan.SearchMethod.self))
        #expect(try choices("/operations") == all(Capabilities.Operation.self))
        #expect(try choices("/signIn/0/secretIn") == all(SignIn.SecretPlace.self))
    }

    @Test(arguments: Sample.names) func shippedProfilesAreRead(_ name: String) throws {
        let profile = try Sample.shipped(name)
        #expect(profile.name == name)
        #expect(profile.capabilities.searches[.cpf]?.count == 1)
        #expect(profile.capabilities.operations.isSuperset(of: [.search, .get, .create, .update]))
    }

    @Test func tenBrazilianSystemsAreRead() throws {
        for name in ["hapi", "azure", "google"] {
            #expect(Set(try Sample.shipped(name).plan.cpf.read).count == 10, "\(name)")
        }
    }

    @Test(arguments: [
        ("name", #""other""#, "/name", "the file's name"), ("titel", #""x""#, "/titel", "did you mean \"title\""),
        ("signIn", "[]", "/signIn", "at least one"),
        ("signIn", #"[{"style":"oauth"}]"#, "/signIn/0/style", "unknown value"),
        ("signIn", #"[{"style":"none"},{"style":"none"}]"#, "/signIn/1", "same credentials"),
        ("signIn", #"[{"style":"header"}]"#, "/signIn/0", "lacks the member \"name\""),
        ("signIn", #"[{"style":"header","name":"a b"}]"#, "/signIn/0/name", "name of a header"),
        ("signIn", #"[{"style":"bearer","name":"x"}]"#, "/signIn/0/name", "\"header\" only"),
        ("cpf", "{}", "/cpf", "lacks the member"), ("cpf", #"{"read":["x|y"],"write":"urn:a"}"#, "/cpf/read/0", "URI"),
        ("cpf", #"{"read":[],"write":"urn:a","members":{"system":"x"}}"#, "/cpf/members/system", "writes itself"),
        ("cpf", #"{"read":[],"write":"urn:a","members":{"x":"{setting.y}"}}"#, "/cpf/members/x", "unknown setting"),
        ("phones", #"{"search":["e164","e164"]}"#, "/phones/search/1", "named twice"),
        ("phones", #"{"search":["e163"]}"#, "/phones/search/0", "did you mean \"e164\""),
        ("paths", #"{"read":"Patient"}"#, "/paths/read", "must hold {id}"),
        ("paths", #"{"search":"../x"}"#, "/paths/search", "must be a path"),
        ("paths", #"{"search":"/Patient"}"#, "/paths/search", "must be a path"),
        ("paths", #"{"update":"Patient"}"#, "/update", "needs {id}"),
        ("update", #"{"style":"upsert"}"#, "/update", "needs that style of \"create\""),
        ("create", #"{"style":"upsert"}"#, "/create", "needs an identifier"),
        ("operations", #"["update"]"#, "/update", "\"get\""), ("list", #"{"count":0}"#, "/list/count", "1 to 1000"),
        ("search", #"{"parameters":{"phone":[]}}"#, "/search/parameters/phone", "at least one"),
        ("search", #"{"parameters":{"phone":["a=b"]}}"#, "/search/parameters/phone/0", "search parameter"),
        ("settings", #"{"scope":{}}"#, "/settings/scope", "every profile has"),
        ("staleReads", #""soon""#, "/staleReads", "duration"),
        ("create", #"{"requires":["name"]}"#, "/create/requires/0", "unknown"),
    ]) func faultsAreSaidWithTheirPlace(_ member: String, _ json: String, _ pointer: String, _ message: String) throws {
        let bytes = try Sample.bytes([member: json])
        do throws(ConfigError) {
            _ = try FHIRProfile(bytes, file: "sample.json")
            Issue.record("no fault")
        } catch {
            #expect(
                error.faults.contains { $0.pointer == pointer && $0.message.contains(message) }, "\(error.description)")
        }
    }

    @Test(arguments: [("search", #"{"parameters":{"phone":["phone"]}}"#), ("operations", #"["get","create"]"#)])
    func anUpsertMustLookForTheCPF(_ member: String, _ json: String) throws {
        let create = #"{"style":"upsert","uuidIdentifier":true}"#
        _ = try Sample.compile(["create": create])
        let bytes = try Sample.bytes(["create": create, member: json])
        do throws(ConfigError) {
            _ = try FHIRProfile(bytes, file: "sample.json")
            Issue.record("no fault")
        } catch {
            #expect(error.faults.map(\.pointer) == ["/create"])
            #expect(error.description.contains("needs a search by cpf"))
        }
    }

    @Test func anythingAnywhereIsSurvived() throws {
        let whole = try JSONDocument(
            Array(Data(contentsOf: Sample.repository.appending(path: "Config/drivers/fhir/openmrs.json")))
        ).root
        for member in whole.members where member.key != "$schema" {
            for value in ["null", "true", "0", "\"\"", "\"x\"", "[]", "{}", "[[]]", "[{}]", #"{"x":1}"#] {
                _ = try? Sample.compile([member.key: value])
            }
        }
    }

    @Test func settingsFillTemplates() throws {
        let profile = try Sample.shipped("openmrs")
        let driver = FHIRDriver(
            profile: profile,
            tenant: FHIRTenant(
                baseURL: Sample.base, credentials: ["user": Secret("a"), "password": Secret("b")],
                settings: ["location": "L\"1", "identifierType": "CPF do paciente"]), http: Script(.fhir("{}")))
        #expect(driver.plan.cpf.types == ["CPF do paciente"])
        let writer = PatientWriter(plan: driver.plan, settings: driver.settings, phones: PhoneContext())
        let written = try JSONDocument(writer.identifier(try #require(CPF("12345678900")))).root
        #expect(written["extension"]?.elements.first?["valueReference"]?["reference"]?.string == "Location/L\"1")
        #expect(written["type"]?["text"]?.string == "CPF do paciente")
        #expect(written["system"] == nil)
    }
}
