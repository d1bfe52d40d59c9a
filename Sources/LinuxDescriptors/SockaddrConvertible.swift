/// An address that has the form in which the kernel takes and gives it, a `sockaddr` (`sockaddr(3type)`).
///
/// Modules that do not know each other's types hand addresses over by it: `SocketAddress` of `LinuxSockets` conforms, and
/// the requests of `LinuxRings` take whatever does.
public protocol SockaddrConvertible {
    /// Calls `body` with the address as the kernel reads it, from the family on: at most 128 bytes, the size of a
    /// `sockaddr_storage`.
    func withSockaddr<Result: ~Copyable, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result

    /// Reads an address as the kernel wrote it. Bytes that are no address of a known family make a value that says so.
    init(sockaddr: RawSpan)
}
