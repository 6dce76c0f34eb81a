import Foundation
import MockUpstream
import RESTDriver
import StrictConfig
import Tenancy

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

    struct Missing: Error {}
}

/// Everything that the mock's first patients could be known by.
let personal = ["João", "Silva", "11999999999", "12345678900", "123.456", "joao@example.com", "1990", "Maria", "Cosme"]
