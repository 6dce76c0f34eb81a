import Glibc

/// Files that are their owner's alone.
enum FileMode {
    /// Takes from a file what lets others than its owner read or write it.
    /// - Returns: whether there was anything to take; false also where there is no such file.
    /// - Throws: when the file is somebody else's, and so cannot be closed.
    static func close(_ path: String) throws(StoreFailure) -> Bool {
        var information = stat()
        guard stat(path, &information) == 0 else {
            // Whoever opens it says what is wrong.
            return false
        }
        guard information.st_mode & 0o077 != 0 else { return false }
        guard chmod(path, information.st_mode & 0o700) == 0 else {
            throw StoreFailure("a file is open to others, and cannot be closed to them: \(FileClaim.reason())")
        }
        return true
    }
}
