import Foundation
import MockUpstream
import RESTDriver
import StrictConfig
import Tenancy
import TestSupport

enum Shipped {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func profile(_ name: String) throws -> Profile {
        try Profile(bytes("Config/drivers/\(name).json"), file: "\(name).json")
    }

    static func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: repository.appending(path: path)))
    }

    /// The shipped configuration, its demo tenant pointed at a mock.
    static func demo(at baseURL: String, user: String = "ponte", password: String? = nil) throws -> TenantPlan {
        let secret = password ?? MockOptions().password
        let secrets = SecretSource(environment: { name in
            switch name {
            case "PONTE_DEMO_USER": user
            case "PONTE_DEMO_PASSWORD": secret
            default: nil
            }
        })
        let configuration = Configuration(
            serverFile: repository.appending(path: "Config/server.json").path,
            options: .init(secrets: secrets, baseURLs: ["demo": baseURL]))
        guard let plan = configuration.tenants.first(where: { $0.id == "demo" }) else { throw Missing() }
        return plan
    }

    /// A tenant whose `upstream` is this, with the shipped profiles, or with one of its own in place of them.
    /// - Parameters:
    ///   - key, inbound, more: further members of its key, of `inbound`, and of the file, each behind a comma.
    static func tenant(
        _ upstream: String, searchBy: String = #"["phone", "cpf", "email"]"#,
        profile: (name: String, text: String)? = nil,
        secrets: [String: String] = [:], onDuplicate: String = "returnExisting", key more: String = "",
        inbound: String = "", more members: String = ""
    ) throws -> TenantPlan {
        let folder = FileManager.default.temporaryDirectory.appending(path: "workbench-\(UUID().uuidString)")
        defer { Leaks.discard(folder) }
        func write(_ text: String, _ path: String) throws {
            let file = folder.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        if let profile { try write(profile.text, "drivers/\(profile.name).json") }
        let drivers = profile == nil ? repository.appending(path: "Config/drivers").path : "drivers"
        try write(#"{ "drivers": "\#(drivers)" }"#, "server.json")
        let key = String(repeating: "ab", count: 32)
        try write(
            """
            { "id": "clinic", "inbound": { "keys": [{ "name": "clinia", "sha256": "\(key)"\(more) }]\(inbound) }, "upstream": \(upstream),
              "clients": { "searchBy": \(searchBy), "onDuplicate": "\(onDuplicate)" }\(members) }
            """, "tenants/clinic.json")
        let configuration = Configuration(
            serverFile: folder.appending(path: "server.json").path,
            options: .init(secrets: SecretSource(environment: { secrets[$0] })))
        guard let plan = configuration.tenants.first else { throw Faulty(faults: configuration.faults) }
        return plan
    }

    struct Missing: Error {}
    struct Faulty: Error { let faults: [ConfigFault] }
}

/// Everything that the mock's first patients could be known by.
let personal = ["João", "Silva", "11999999999", "12345678900", "123.456", "joao@example.com", "1990", "Maria", "Cosme"]
