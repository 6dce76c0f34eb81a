package import UpstreamDriver

extension UpstreamError {
    /// What the error is, for comparisons: "refused with 1 reasons", "outcome unknown".
    package var name: String {
        var name = description.prefix { $0 != ":" && $0 != "(" }
        while name.last == " " { name.removeLast() }
        return String(name)
    }

    /// What a call fails with; nil where it does not, or fails with something else.
    package static func thrown(by body: () async throws -> Void) async -> UpstreamError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? UpstreamError
        }
    }
}
