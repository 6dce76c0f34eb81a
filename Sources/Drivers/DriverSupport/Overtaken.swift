package import UpstreamDriver

extension UpstreamError {
    /// Others wrote to the record at the same time, as often as it was tried. It collides with no other record, and it
    /// passes by itself.
    /// - Parameter status: what the system answered, where that is one.
    package static func overtaken(status: Int? = nil) -> UpstreamError {
        .failed(
            status: status,
            "others were writing at the same time, and nothing was changed: the same call may be sent again")
    }
}
