/// Answers of a gateway that tell nothing of what happened behind it.
package enum SilentGateway {
    /// 502: it got no proper answer; 504: none in time (RFC 9110, sections 15.6.3 and 15.6.5). Both times it had passed the
    /// request on, and a change may have been made. Not 503, which says that nobody was ready to take it (15.6.4).
    package static let statuses: Set<Int> = [502, 504]
}
