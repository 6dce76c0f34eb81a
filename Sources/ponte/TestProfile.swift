import ArgumentParser
import RESTDriver
import StrictConfig
import Workbench

struct TestProfile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Run a profile's golden pairs.",
        discussion: """
            Beside drivers/NAME.json, the folder drivers/NAME.pairs holds answers of the system (x.in.json, x.in.html or \
            x.in.txt) and what they must become (x.out.json); login.json there is what a login answers. Prints each difference \
            as pointer: want …, got …; exits with 1 when there is one. A note is \
            no fault: it says what the profile leaves open.
            """)

    @Argument(help: "A profile's name, or the path of its file.")
    var profile: String
    @Option(help: "The folder of the pairs.")
    var pairs: String?
    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let (profile, path) = try IntegratorFiles.profile(profile, options)
        let folder = pairs ?? String(path.dropLast(".json".count)) + ".pairs"
        let found: PairFolder
        do throws(ConfigError) {
            found = try PairFolder(folder)
        } catch {
            throw IntegratorFiles.failure(error)
        }
        for stray in found.strays {
            Terminal.error(
                "\(folder)/\(stray) is no part of a pair: an answer is NAME.in.json, what it must become NAME.out.json."
            )
        }
        let pairs = found.pairs
        guard !pairs.isEmpty else {
            Terminal.error("\(folder) holds no pairs: an answer is NAME.in.json, what it must become NAME.out.json.")
            throw ExitCode.failure
        }
        if profile.logsIn, found.login == nil {
            Terminal.error(
                "\(folder)/login.json is missing: the profile logs in, and that file is what the login answers.")
            throw ExitCode.failure
        }
        var failed = 0
        for pair in pairs {
            let differences = await pair.differences(profile, login: found.login)
            Terminal.print("\(differences.isEmpty ? "ok  " : "FAIL") \(pair.name)")
            for difference in differences { Terminal.print("     \(difference)") }
            if !differences.isEmpty { failed += 1 }
        }
        for remark in profile.remarks { Terminal.print("note: \(remark)") }
        Terminal.print(failed == 0 ? "\(pairs.count) pairs hold." : "\(failed) of \(pairs.count) pairs do not hold.")
        if failed > 0 || !found.strays.isEmpty { throw ExitCode.failure }
    }
}
