import Glibc
import LinuxDescriptors
import SystemPackage
import Testing

@Suite struct ErrnoTests {
    private static let shortages = [EMFILE, ENFILE, ENOBUFS, ENOMEM]
    /// `accept(2)`, "Error handling", and what a firewall or the peer does to a connection in the queue.
    private static let ofOneConnection = [
        ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, ENETUNREACH,
    ]

    @Test func everyErrorIsOneOrTheOtherOrNeither() {
        for number: CInt in 1...200 {
            #expect(Errno(rawValue: number).isShortage == Self.shortages.contains(number), "\(number)")
            #expect(Errno(rawValue: number).isOfOneConnection == Self.ofOneConnection.contains(number), "\(number)")
        }
    }
}
