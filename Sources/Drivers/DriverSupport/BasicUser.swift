/// The user of HTTP Basic.
package enum BasicUser {
    /// What is wrong with one that holds a colon: it ends there, and the rest would be taken for the password (RFC 7617,
    /// section 2).
    package static let complaint = "a user name with a colon cannot sign in by HTTP Basic"
}
