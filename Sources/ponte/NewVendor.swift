import ArgumentParser
import Glibc
import Tenancy
import Workbench

struct NewVendor: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Begin a profile for another vendor.",
        discussion: """
            Writes VENDOR.json, a commented profile that compiles, into the configuration's folder of drivers, and \
            VENDOR.pairs beside it with three sample answers. Nothing that exists is overwritten. \
            docs/adding-a-system.md goes on from there.
            """)

    @Argument(help: "The vendor's name: lower-case letters, digits and hyphens.")
    var vendor: String
    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        guard let skeleton = Skeleton(vendor: vendor) else {
            throw ValidationError("A vendor's name is lower-case letters, digits and hyphens, at most 63.")
        }
        let folder = try IntegratorFiles.drivers(options)
        let files = skeleton.files.map { (path: Files.join(folder, $0.path), content: $0.content) }
        for file in files where access(file.path, F_OK) == 0 {
            Terminal.error("\(file.path) exists already: nothing was written.")
            throw ExitCode.failure
        }
        for file in files {
            if let slash = file.path.lastIndex(of: "/") { makeFolder(String(file.path[..<slash])) }
            try write(file.content, to: file.path)
            Terminal.print(file.path)
        }
        Terminal.print("Next: ponte test \(vendor)\(options.said)")
    }

    /// With those above it. What cannot be made shows when a file is written there.
    private func makeFolder(_ path: String) {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex { makeFolder(String(path[..<slash])) }
        mkdir(path, 0o755)
    }

    private func write(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            Terminal.error("\(path) cannot be written: \(String(cString: strerror(errno)))")
            throw ExitCode.failure
        }
        defer { close(descriptor) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                Terminal.error("\(path) cannot be written whole")
                throw ExitCode.failure
            }
            rest = rest.dropFirst(count)
        }
    }
}
