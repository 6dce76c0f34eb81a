import ArgumentParser
import Glibc
import Workbench

struct NewVendor: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Begin a profile for another vendor.",
        discussion: """
            Writes drivers/VENDOR.json, a commented profile that compiles, and drivers/VENDOR.pairs with two sample answers. \
            Nothing that exists is overwritten. docs/adding-a-system.md goes on from there.
            """)

    @Argument(help: "The vendor's name: lower-case letters, digits and hyphens.")
    var vendor: String
    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        guard let skeleton = Skeleton(vendor: vendor) else {
            throw ValidationError("A vendor's name is lower-case letters, digits and hyphens, at most 63.")
        }
        let root = IntegratorFiles.folder(options)
        for file in skeleton.files {
            let path = root + "/" + file.path
            if access(path, F_OK) == 0 {
                Terminal.error("\(path) exists already: nothing was written.")
                throw ExitCode.failure
            }
        }
        for file in skeleton.files {
            let path = root + "/" + file.path
            if let slash = path.lastIndex(of: "/") { mkdir(String(path[..<slash]), 0o755) }
            try write(file.content, to: path)
            Terminal.print(path)
        }
        Terminal.print("Next: ponte test \(vendor)")
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
