import Foundation
import TestSupport
import Testing
import Transport

@testable import Certification
@testable import Conformance

/// Shipped profiles with a mistake that the vendor's world punishes: none of them is certified.
@Suite struct BrokenProfileTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        let profile: String
        let name: String
        let groups: Set<CheckGroup>
        /// JSON by pointer; nil removes.
        let changes: [(String, String?)]
        var testDescription: String { "\(profile): \(name)" }

        init(_ profile: String, _ name: String, _ groups: Set<CheckGroup>, _ changes: [(String, String?)]) {
            (self.profile, self.name, self.groups, self.changes) = (profile, name, groups, changes)
        }

        init(_ profile: String, _ name: String, _ group: CheckGroup, _ pointer: String, _ json: String?) {
            self.init(profile, name, [group], [(pointer, json)])
        }
    }

    private static func format(_ places: Int...) -> (String) -> [(String, String?)] {
        { format in places.map { ("/fields/phones/\($0)/format", "\"\(format)\"") } }
    }

    /// Numbers are written otherwise than the vendor documents.
    private static let spelling: [Mistake] = [
        Mistake("clinicorp", "national numbers", .create, "/fields/phones/create/format", "\"national\""),
        Mistake("gestaods", "numbers with a country code", .create, "/fields/phones/format", "\"e164\""),
        Mistake("conexa", "numbers with a country code", .create, "/fields/phones/format", "\"e164\""),
        Mistake("cliniko", "numbers with a plus", [.create], format(0)("e164")),
        Mistake("clinica-nas-nuvens", "numbers with a plus", [.create], format(0, 1)("e164")),
        Mistake("ninsaude", "numbers without a mask", [.create], format(0, 1)("national")),
        Mistake("shosp", "masked numbers", [.create], format(0, 1)("masked")),
        Mistake("prodoctor", "mobiles without a type", .create, "/fields/phones/0/set", nil),
        Mistake("feegow", "one name of two", .create, "/fields/name/create/also", nil),
        Mistake("easyappointments", "nothing for a last name", .create, "/fields/name/parts/blank", nil),
    ]

    /// Searches that miss what is on record in another spelling.
    private static let searching: [Mistake] = [
        Mistake("feegow", "digits alone", .search, "/search/phone/spellings", #"["national","foreign"]"#),
        Mistake("feegow", "masks alone", .search, "/search/phone/spellings", #"["masked","foreign"]"#),
        Mistake("clinicorp", "no plus", .search, "/search/phone/spellings", #"["national","international"]"#),
        Mistake("clinica-experts", "no digits", .search, "/search/phone/spellings", #"["e164","masked"]"#),
        Mistake("simplybook", "a plus alone", .search, "/search/phone/spellings", "\"e164\""),
        Mistake("easyappointments", "eight digits together", .search, "/search/phone/spellings", "\"lastEight\""),
        Mistake("belle", "digits alone", .search, "/search/cpf/spellings", "\"digits\""),
    ]

    /// People who are none, rows that are lost, records that a change would harm.
    private static let keeping: [Mistake] = [
        Mistake(
            "clinica-nas-nuvens", "short pages end the list", .list, "/operations/list/paging/shortPageEnds", "true"),
        Mistake("ninsaude", "short pages end the list", .list, "/operations/list/paging/shortPageEnds", "true"),
        Mistake("realclinic", "short pages end the list", .list, "/operations/list/paging/shortPageEnds", "true"),
        Mistake("prodoctor", "short pages end the list", .list, "/operations/list/paging/shortPageEnds", "true"),
        Mistake("feegow", "short pages end a search", .search, "/operations/find/paging/shortPageEnds", "true"),
        Mistake("clinica-nas-nuvens", "the inactive count", .list, "/fields/active", nil),
        Mistake("ninsaude", "the inactive count", .get, "/fields/active", nil),
        Mistake("odoo", "companies count", .get, "/fields/active", nil),
        Mistake("odoo", "companies are listed", .list, "/operations/list/json/domain", "[]"),
        Mistake(
            "prodoctor", "insurances are lost", [.update],
            [("/update/guard", nil), ("/settings/insurancesStay", nil)]),
        Mistake("prodoctor", "photos are lost", .update, "/update/omit", #"["/foto","/convenios"]"#),
        Mistake(
            "feegow", "reads show writes at once", [.create, .update],
            [("/staleReads", nil), ("/create/duplicates", #""creates""#)]),
        Mistake(
            "clinica-experts", "texts are passed on", .refusals, "/operations/update/outcomes",
            #"[{"when":{"status":422},"then":"refused","reasons":"/fields"}]"#),
        Mistake(
            "prodoctor", "alerts are passed on", .refusals, "/operations/update/outcomes",
            #"[{"when":{"body":{"/sucesso":false}},"then":"refused","reasons":"/mensagens"}]"#),
    ]

    /// Records that a change writes back as they were read, whoever changed them meanwhile.
    private static let overwriting: [Mistake] = [
        Mistake("fhir/hapi", "whole resources, whatever their version", .update, "/update", whole),
        Mistake("fhir/google", "whole resources, whatever their version", .update, "/update", whole),
        Mistake("cliniko", "whole records", .update, "/update/style", #""full""#),
        Mistake(
            "clinica-experts", "the e-mail goes along as well", .update, "/update/required", #"["name","email"]"#),
    ]
    private static let whole = #"{"style":"put","ifMatch":false}"#

    /// Answers that are not about the client, taken for that.
    private static let believing: [Mistake] = [
        Mistake(
            "conexa", "any 404 is nobody", .faults, "/operations/byCPF/outcomes",
            #"[{"when":{"status":404},"then":"empty"}]"#),
        Mistake(
            "conexa", "any 404 is no such client", .faults, "/operations/get/outcomes",
            #"[{"when":{"status":404},"then":"notFound"}]"#),
        Mistake(
            "feegow", "any 409 is no such client", .faults, "/operations/get/outcomes",
            #"[{"when":{"status":409,"body":{"/success":false}},"then":"notFound"}]"#),
        Mistake(
            "prodoctor", "whoever was found is not", .faults, "/operations/get/outcomes",
            #"[{"when":{"body":{"/sucesso":false},"text":["paciente","encontrad"]},"then":"notFound"}]"#),
    ]

    @Test(arguments: (spelling + searching + keeping + overwriting + believing))
    func isNotCertified(_ mistake: Mistake) async throws {
        let system = try #require(CertifiedSystem.all.first { $0.name == mistake.profile })
        let drivers = try folder(with: mistake)
        defer { Leaks.discard(drivers) }
        let certificate = try await Repository.withEngine { engine in
            await Conformance.run(
                try system.subject(drivers: drivers.path(), engine: engine), only: mistake.groups)
        }
        let isGood = certificate.isGood
        #expect(!isGood)
    }

    /// A folder of drivers that holds the profile with its mistake.
    private func folder(with mistake: Mistake) throws -> URL {
        let file = URL(filePath: Repository.drivers).appending(path: "\(mistake.profile).json")
        var root = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
        for (pointer, json) in mistake.changes {
            let value = try json.map {
                try JSONSerialization.jsonObject(with: Data($0.utf8), options: .fragmentsAllowed)
            }
            root = changed(root, pointer.split(separator: "/").map(String.init)[...], value)
        }
        let drivers = FileManager.default.temporaryDirectory.appending(path: "ponte-broken-\(UUID())")
        let broken = drivers.appending(path: "\(mistake.profile).json")
        try FileManager.default.createDirectory(
            at: broken.deletingLastPathComponent(), withIntermediateDirectories: true)
        try JSONSerialization.data(withJSONObject: root).write(to: broken)
        return drivers
    }

    private func changed(_ node: Any, _ path: ArraySlice<String>, _ value: Any?) -> Any {
        guard let name = path.first else { return value ?? node }
        if var array = node as? [Any], let index = Int(name), array.indices.contains(index) {
            array[index] = changed(array[index], path.dropFirst(), value)
            return array
        }
        var object = node as? [String: Any] ?? [:]
        if path.count == 1 {
            object[name] = value
        } else {
            object[name] = changed(object[name] ?? [String: Any](), path.dropFirst(), value)
        }
        return object
    }
}
