import JSONBytes
import UpstreamDriver

extension GoldenPair {
    /// What to change in the profile or in the pair, where the failure alone does not say it. Never a rule by which an
    /// outage would mean something.
    func hint(_ error: UpstreamError, _ want: PairMeaning) -> String? {
        switch error {
        case .malformed(let detail) where detail.contains("next link"):
            return "a pair runs at its \"baseURL\", else at the profile's, else at \(Self.address): "
                + "give it the address that the vendor's link begins with"
        case .unsupported(let detail) where detail.contains("wants a number"):
            return "what the profile writes with |number must be digits: give the pair such an \"id\", or such "
                + "\"settings\" or \"credentials\""
        case .failed(let status?, _) where want.isNobody: return nobody(status, want)
        case .malformed where want.isNobody && want.status == 204: return nobody(204, want)
        case .malformed(let detail) where want.isNobody && !detail.contains("web page"):
            return "no rule says that this answer means nobody: see \"items\", \"tolerate\", and the outcome \"empty\""
        case .failed(let status?, _) where want.fails == "credentials rejected":
            return "no rule before the one that decided says that this \(status) is about the credentials: "
                + rule(status, "THE VENDOR'S WORDS FOR A WRONG KEY", "unauthorised")
        case .failed(let status?, _) where (200...299).contains(status):
            return "a rule takes this \(status) for a failure: one before it, on what the body holds, can say otherwise"
        case .failed(let status?, _) where status >= 500:
            return "without a rule the status decides: an outcome rule on what the body holds says what it means; "
                + "one on \(status) alone would speak of outages, too"
        case .failed(let status?, _):
            return
                "without a rule the status decides: an outcome rule on \(status), or on what the body holds, says what it means"
        case .credentialsRejected
        where want.isNobody || want.call == .create || want.call == .get || want.status == 403:
            return
                "without a rule 401 and 403 are about the credentials: an outcome rule on what the body holds can say "
                + "otherwise"
        default: return nil
        }
    }

    /// The rule that is missing where an answer means nobody. A status alone is enough where it means that and nothing
    /// else.
    private func nobody(_ status: Int, _ want: PairMeaning) -> String {
        let outcome = want.call == .get || want.call == .update ? "notFound" : "empty"
        let isSilent = input.allSatisfy { $0 <= 0x20 }
        if [204, 404, 410].contains(status), isSilent || isJSON {
            return "no rule says that \(status) means nobody: give the operation an outcome rule, "
                + #"{ "when": { "status": \#(status) }, "then": "\#(outcome)" }"#
        }
        return
            "\(status) alone does not mean nobody: an outage or an error is answered so, too, and the clinic would look "
            + "empty. If this answer means it, give the operation, before any rule for failures, "
            + rule(status, "THE VENDOR'S WORDS FOR NOBODY", outcome)
    }

    /// With words that no answer has, so that nobody takes it as it is.
    private func rule(_ status: Int, _ words: String, _ outcome: String) -> String {
        let condition = isJSON ? #""body": { "/MEMBER": { "contains": "\#(words)" } }"# : #""text": "\#(words)""#
        return #"{ "when": { "status": \#(status), \#(condition) }, "then": "\#(outcome)" }"#
    }
}
