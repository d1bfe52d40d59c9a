/// A release of Linux, to its second number: what interfaces come with.
package struct KernelVersion: Comparable, Sendable, CustomStringConvertible {
    /// The 6 of 6.12.
    package let major: Int
    /// The 12 of 6.12.
    package let minor: Int

    /// Linux `major.minor`.
    package init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Reads the front of `uname -r`, as in `6.12.117+deb13-cloud-amd64`; nil for what does not begin with two numbers.
    package init?(release: String) {
        let parts = release.split(separator: ".", maxSplits: 2).map { Int($0.prefix { $0.isASCII && $0.isNumber }) }
        guard parts.count >= 2, let major = parts[0], let minor = parts[1] else { return nil }
        self.init(major, minor)
    }

    /// What runs here (`uname(2)`); nil if it cannot be read.
    package static let running = KernelVersion(release: MachineFacts.kernelRelease)

    /// `6.12`.
    package var description: String { "\(major).\(minor)" }

    /// Older is less.
    package static func < (left: Self, right: Self) -> Bool { (left.major, left.minor) < (right.major, right.minor) }
}
