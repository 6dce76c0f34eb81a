import Foundation
import Glibc
import StrictConfig
import Tenancy
import Testing
import Transport

/// Pipes and folders where files are expected: nobody waits for what will not come.
@Suite(.timeLimit(.minutes(1))) struct IrregularFileTests {
    /// Makes a pipe that nobody writes to.
    private func pipe(_ path: String, _ configuration: TestConfiguration) throws {
        let place = configuration.folder.appending(path: path).path
        try? FileManager.default.removeItem(atPath: place)
        try #require(mkfifo(place, 0o600) == 0)
    }

    @Test func aPipeIsRefusedWhereverAFileIsExpected() throws {
        let configuration = try TestConfiguration()
        try configuration.write("tenants/clinica-aurora.json", TestConfiguration.fullTenant())
        func faults(_ path: String) throws -> [ConfigFault] {
            let content = try? Data(contentsOf: configuration.folder.appending(path: path))
            try pipe(path, configuration)
            let faults = configuration.load().faults
            try configuration.remove(path)
            try content?.write(to: configuration.folder.appending(path: path))
            return faults.filter { $0.message.contains("is not a regular file") }
        }
        #expect(try faults("tenants/gamma.json").count == 1)
        #expect(try faults("drivers/agenda-demo.json").count == 1)
        #expect(try faults("server.json").count == 1)
        #expect(configuration.load().faults == [])
        // What the file refers to.
        let document = TestConfiguration.fullTenant()
        let secret = Document.setting(document, ["upstream", "credentials", "user"], ["file": "a.pipe"])
        try configuration.write("tenants/clinica-aurora.json", secret)
        #expect(try faults("tenants/a.pipe").map(\.pointer) == ["/upstream/credentials/user/file"])
        let authority = Document.setting(document, ["upstream", "tls"], ["caFile": "a.pipe"])
        try configuration.write("tenants/clinica-aurora.json", authority)
        #expect(try faults("tenants/a.pipe").map(\.pointer) == ["/upstream/tls/caFile"])
        // A folder is none either.
        try configuration.write("tenants/clinica-aurora.json", document)
        try FileManager.default.createDirectory(
            at: configuration.folder.appending(path: "tenants/delta.json"), withIntermediateDirectories: true)
        #expect(configuration.load().faults.map(\.message) == ["is not a regular file (a folder, a pipe or a device)"])
    }

    @Test func aPipeThatComesLaterKeepsItsTenant() async throws {
        let configuration = try TestConfiguration()
        try configuration.write("tenants/clinica-aurora.json", TestConfiguration.fullTenant())
        let (loaded, engine) = (configuration.load(), try CurlEngine())
        let directory = TenantDirectory(loaded, engine: engine)
        try pipe("tenants/clinica-aurora.json", configuration)
        #expect(directory.replace(with: loaded.readAgain(), engine: engine).kept == ["clinica-aurora"])
        #expect(directory.caller(key: "chave-aurora") != nil)
        await engine.shutdown()
    }

    /// A shell hands commands what it was given as one (`<(…)`).
    @Test func aCommandTakesWhatAPipeBrings() throws {
        var ends: [Int32] = [0, 0]
        try #require(Glibc.pipe(&ends) == 0)
        #expect(write(ends[1], "{}", 2) == 2)
        close(ends[1])
        #expect(throws: Files.Failure.self) { try Files.read("/dev/fd/\(ends[0])") }
        #expect(try Files.readInput("/dev/fd/\(ends[0])") == Array("{}".utf8))
        close(ends[0])
    }
}
