/// The files with which a new vendor's profile begins: what `ponte new` writes.
public struct Skeleton: Sendable {
    public struct File: Sendable {
        /// Below the folder of drivers.
        public let path: String
        public let content: String
    }

    public let files: [File]

    /// Nil for a name that cannot be a file's: lower-case letters, digits and hyphens, at most 63.
    public init?(vendor: String) {
        let letters = vendor.utf8.allSatisfy { $0 &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2D }
        guard letters, (1...63).contains(vendor.utf8.count), !vendor.hasPrefix("-") else { return nil }
        func filled(_ text: String) -> String {
            var rest = text[...]
            var filled = ""
            while let range = rest.firstRange(of: "VENDOR") {
                filled += rest[..<range.lowerBound] + vendor
                rest = rest[range.upperBound...]
            }
            return filled + rest
        }
        files = [
            File(path: "\(vendor).json", content: filled(Self.profile)),
            File(path: "\(vendor).pairs/list.in.json", content: filled(Self.listAnswer)),
            File(path: "\(vendor).pairs/list.out.json", content: filled(Self.listMeans)),
            File(path: "\(vendor).pairs/wrong-key.in.json", content: Self.wrongKeyAnswer),
            File(path: "\(vendor).pairs/wrong-key.out.json", content: Self.wrongKeyMeans),
            File(path: "\(vendor).pairs/not-found.in.json", content: Self.notFoundAnswer),
            File(path: "\(vendor).pairs/not-found.out.json", content: Self.notFoundMeans),
        ]
    }

    private static let profile = """
        {
          "$schema": "../schema/driver.schema.json",
          "$comment": "docs/profile-language.md explains every member; an editor completes them. Work from the top down, and run `ponte test VENDOR` as you go.",
          "name": "VENDOR",
          "title": "VENDOR",
          "baseURL": "https://api.VENDOR.example",
          "credentials": {
            "$comment": "Secrets that each clinic gives; what is no secret, such as a unit's number, stands in \\"settings\\" in the same form. How they travel is said in \\"request\\" below.",
            "token": { "description": "Access token; where the clinic finds it" }
          },
          "request": {
            "$comment": "Of every call: headers, query, or basic. A system with a login has a \\"login\\" beside this.",
            "headers": { "Authorization": "Bearer {credential.token}" }
          },
          "fields": {
            "$comment": "Where each member of a client stands. One lens serves rows, records and writes; give row, detail, create and update where they differ.",
            "id": { "at": "/id" },
            "name": { "at": "/name" },
            "phones": { "at": "/phone", "format": "national" },
            "cpf": { "at": "/cpf", "format": "digits" },
            "email": { "at": "/email" },
            "birthday": { "at": "/birthdate", "format": "yyyy-MM-dd" }
          },
          "operations": {
            "$comment": "Leave out what the system does not have: Ponte then answers 501 and says so.",
            "list": {
              "path": "/patients",
              "query": { "page": "{page}", "per_page": "{size}" },
              "items": "/data",
              "paging": { "style": "page", "base": 1, "maximum": 100 }
            },
            "get": { "path": "/patients/{id}", "item": "" },
            "create": { "method": "POST", "path": "/patients", "json": "{record}", "answer": { "id": "/id" } },
            "update": { "method": "PUT", "path": "/patients/{id}", "json": "{record}" }
          },
          "outcomes": [
            {
              "$comment": "A wrong key inside a 200, by the vendor's own words or code for it. Before the rule for failures: with a wrong key Ponte must not call on and on, which locks accounts.",
              "when": { "status": "2xx", "body": { "/error": { "contains": "invalid token" } } },
              "then": "unauthorised"
            },
            {
              "$comment": "Failures inside a 200, and words that may be passed on. Without a rule the status decides.",
              "when": { "status": "2xx", "body": { "/error": { "present": true } } },
              "then": "failure"
            }
          ],
          "search": {
            "$comment": "Unproven unless you have seen that a search finds all and only the exact value: Ponte compares all the same.",
            "phone": { "operation": "list", "query": { "phone": "{term}" }, "spellings": ["national"] },
            "cpf": { "operation": "list", "query": { "cpf": "{term}" }, "spellings": ["digits"] }
          },
          "create": {
            "$comment": "What the system does when the person is on record already: reusesSilently, refuses, creates or unknown.",
            "duplicates": "unknown"
          },
          "update": { "$comment": "partial, partialWithRequired, full or perField. Leave it out with the operation.", "style": "partial" }
        }

        """

    private static let listAnswer = """
        {
          "data": [
            {
              "id": 7, "name": "Ana Teste", "phone": "31988880001", "cpf": "20000000108",
              "email": "ana@example.test", "birthdate": "1990-03-07"
            }
          ]
        }

        """

    private static let listMeans = """
        {
          "$comment": "What list.in.json must become. Replace both by an answer of the vendor's documentation, with a made-up patient.",
          "call": "list",
          "gives": [
            {
              "id": "7", "name": "Ana Teste", "phone": "5531988880001", "allPhones": ["5531988880001"],
              "cpf": "200.000.001-08", "email": "ana@example.test", "birthday": "1990-03-07"
            }
          ]
        }

        """

    private static let wrongKeyAnswer = """
        { "error": "Invalid token" }

        """

    private static let wrongKeyMeans = """
        { "call": "list", "fails": "credentials rejected" }

        """

    private static let notFoundAnswer = """
        { "message": "not found" }

        """

    private static let notFoundMeans = """
        { "call": "get", "id": "8", "status": 404, "fails": "not found" }

        """
}
