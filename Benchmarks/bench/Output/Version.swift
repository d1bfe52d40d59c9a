enum Version {
    /// The version of `bench`, its options and its files.
    static let number = "0.1.0"

    static var line: String {
        let commit = builtCommit.isEmpty ? "built outside of a checkout" : "commit \(builtCommit)"
        return "bench \(number) (\(commit), \(Build.name))"
    }
}

enum Build {
    #if DEBUG
        static let name = "debug"
    #else
        static let name = "release"
    #endif

    static func warnIfDebug() {
        if name == "debug" { complain("this is a debug build, whose numbers mean nothing; build with -c release") }
    }
}
