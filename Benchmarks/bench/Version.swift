/// What this program is.
enum Version {
    /// The version of `bench`, its options and its files.
    static let number = "0.1.0"

    /// One line: the version, the commit that was built, and how.
    static var line: String {
        let commit = builtCommit.isEmpty ? "built outside of a checkout" : "commit \(builtCommit)"
        return "bench \(number) (\(commit), \(Build.name))"
    }
}
