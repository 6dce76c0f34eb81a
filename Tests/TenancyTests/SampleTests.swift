import Foundation
import StrictConfig
import Tenancy
import Testing

/// The sample tenants of `Config/samples`: one for each vendor's profile, each sound.
@Suite struct SampleTests {
    private static func names(_ folder: String) throws -> Set<String> {
        let folder = TestConfiguration.repository.appending(path: folder)
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return Set(files.filter { $0.pathExtension == "json" }.map { $0.deletingPathExtension().lastPathComponent })
    }

    @Test func everyVendorHasASoundSample() throws {
        let configuration = try TestConfiguration()
        let config = TestConfiguration.repository.appending(path: "Config")
        try configuration.write(
            "server.json",
            ["tenants": config.appending(path: "samples").path, "drivers": config.appending(path: "drivers").path])
        let loaded = configuration.load(resolves: false)
        #expect(loaded.faults == [])
        // The pretend system's tenant is in Config/tenants, ready to run.
        #expect(Set(loaded.tenants.map(\.id)) == (try Self.names("Config/drivers")).subtracting(["agenda-demo"]))
        #expect(loaded.tenants.count >= 16)
    }

    @Test func everyProfileHasAPage() throws {
        let pages = TestConfiguration.repository.appending(path: "docs/drivers")
        let index = try String(contentsOf: pages.appending(path: "README.md"), encoding: .utf8)
        for name in try Self.names("Config/drivers") {
            let page = try String(contentsOf: pages.appending(path: "\(name).md"), encoding: .utf8)
            #expect(page.contains("Config/drivers/\(name).json"), "\(name)")
            let words = page.replacing("\n", with: " ")
            #expect(name == "agenda-demo" || words.contains("never seen live"), "\(name)")
            #expect(index.contains("](\(name).md)"), "\(name)")
            for readme in ["README.md", "README.pt-BR.md"] {
                let text = try String(
                    contentsOf: TestConfiguration.repository.appending(path: readme), encoding: .utf8)
                #expect(text.contains("docs/drivers/\(name).md") || name == "agenda-demo", "\(name) in \(readme)")
            }
        }
    }
}
