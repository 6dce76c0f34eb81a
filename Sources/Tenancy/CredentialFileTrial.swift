extension TenantPlan {
    /// The credential that each login uses up and its vendor replaces; nil where there is none.
    package var usedUpCredential: String? { driver.replacedCredential }

    /// Why that credential's successor could not be kept: found out by writing beside its file, which stays as it is.
    /// Nil where it could be, or where there is no such credential.
    package func complaintAboutCredentialFile() -> String? { driver.credentialFile?.complaint() }
}
