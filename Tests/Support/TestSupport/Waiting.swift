import Glibc
import LinuxDescriptors
import SystemPackage

/// Longer than any wait of a healthy test: it ends a broken one, and decides nothing else.
public let patienceMilliseconds: CInt = 60_000

/// A wait that went on for ``patienceMilliseconds``.
public struct PatienceIsOver: Error {
    /// Takes nothing: there is nothing more to say.
    public init() {}
}

/// Waits until a descriptor is ready (`poll(2)`).
public func waitUntil(_ events: CInt, on descriptor: BorrowedDescriptor) throws {
    var entry = pollfd(fd: descriptor.rawValue, events: Int16(truncatingIfNeeded: events), revents: 0)
    while true {
        let result = poll(&entry, 1, patienceMilliseconds)
        if result > 0 { return }
        if result == 0 { throw PatienceIsOver() }
        if errno != EINTR { throw Errno(rawValue: errno) }
    }
}

/// Waits until a descriptor can be read, or accepted from.
public func waitUntilReadable(_ descriptor: BorrowedDescriptor) throws {
    try waitUntil(POLLIN, on: descriptor)
}

/// Receives until the buffer is full, whatever signals come (`recv(2)`).
///
/// - Returns: how many bytes came before a time limit of the socket, the end or an error.
public func receiveWhole(_ buffer: inout [UInt8], from socket: CInt) -> Int {
    var count = 0
    while count < buffer.count {
        let more = buffer.withUnsafeMutableBytes { recv(socket, $0.baseAddress! + count, $0.count - count, 0) }
        if more > 0 { count += more } else if more == 0 || errno != EINTR { break }
    }
    return count
}
