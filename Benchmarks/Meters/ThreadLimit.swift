import Foundation

/// How many threads there can be, of everybody together.
package struct ThreadLimit: Sendable, Equatable {
    /// The number.
    package var threads: Int
    /// Where it is set.
    package var name: String

    /// The lowest of `/proc/sys/kernel/threads-max` and the `pids.max` of this process's control group and of those
    /// around it; nil if none can be read.
    package static func read() -> ThreadLimit? {
        let groups = readLines("/proc/self/cgroup").flatMap { Self.files(ofGroup: String($0)) }
        return (["/proc/sys/kernel/threads-max"] + groups).compactMap { file in
            readLines(file).first.flatMap { Int($0) }.map { ThreadLimit(threads: $0, name: file) }
        }.min { $0.threads < $1.threads }
    }

    /// Where a line of `/proc/self/cgroup`, as `0::/a/b` or `8:pids:/a/b`, has its limits.
    static func files(ofGroup line: String) -> [String] {
        let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].isEmpty || parts[1] == "pids" else { return [] }
        let root = "/sys/fs/cgroup" + (parts[1].isEmpty ? "" : "/pids")
        let folders = parts[2].split(separator: "/")
        return (0...folders.count).map { count in
            ([root] + folders.prefix(count).map(String.init)).joined(separator: "/") + "/pids.max"
        }
    }
}
