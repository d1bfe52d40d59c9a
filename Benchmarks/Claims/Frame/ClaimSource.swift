/// Who made a statement.
package struct ClaimSource: Sendable, CustomStringConvertible {
    let mark: String
    let name: String

    package var description: String { "\(mark): \(name)" }

    static let m1 = ClaimSource(
        mark: "M1", name: "Marek Majkowski, Epoll is fundamentally broken 1/2, idea.popcount.org, 2017")
    static let m2 = ClaimSource(
        mark: "M2", name: "Marek Majkowski, Epoll is fundamentally broken 2/2, idea.popcount.org, 2017")
    static let t = ClaimSource(mark: "T", name: "Tom Herbert on SO_REUSEPORT, LWN 542629 and 542866, 2013")
    static let l = ClaimSource(mark: "L", name: "Marc Lehmann on epoll and fork, libev mailing list, 2008")
    static let e = ClaimSource(mark: "E", name: "Worker Pool With Eventfd, yangyang.cloud, 2018")

    static let liburing = ClaimSource(mark: "U", name: "axboe/liburing, its manual pages and issues")

    static let soreuseport = ClaimSource(
        mark: "T", name: "Tom Herbert, soreuseport: TCP/IPv4 implementation, Linux 3.9, 2013")

    /// What somebody who knows the interface would expect; no author is known.
    static let expectation = ClaimSource(mark: "expectation", name: "to be tested")

    /// What was observed while this package was made, on Linux 6.1.
    static let observation = observation(on: "6.1")

    /// What was observed while this package was made, on a release of the kernel.
    static func observation(on kernel: String) -> ClaimSource {
        ClaimSource(mark: "O", name: "observed on Linux \(kernel) while this package was made")
    }

    /// What a test that comes with the kernel expects.
    static func selfTest(_ file: String) -> ClaimSource {
        ClaimSource(mark: "K", name: "the kernel's self-test \(file)")
    }

    /// What liburing's pages or the threads of its users say.
    static func liburing(_ place: String) -> ClaimSource { ClaimSource(mark: "U", name: "axboe/liburing, \(place)") }

    /// A manual page that promises what the statement says.
    static func manual(_ page: String) -> ClaimSource { ClaimSource(mark: "man", name: page) }
}
