import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxRings
import SystemPackage

/// A datagram socket of 127.0.0.1 with a port of its own, and its address as the kernel has it.
struct DatagramSocket: ~Copyable {
    private let owned: OwnedDescriptor
    let address: [UInt8]

    init() throws {
        let number = socket(AF_INET, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw Errno(rawValue: errno) }
        let owned = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                bind(number, name, length) == 0 ? getsockname(number, name, &length) : -1
            }
        }
        guard result == 0 else { throw Errno(rawValue: errno) }
        self.owned = owned
        address = withUnsafeBytes(of: &name) { Array($0.prefix(Int(length))) }
    }

    var descriptor: BorrowedDescriptor { owned.descriptor }
    var file: RequestFile { .descriptor(owned.descriptor) }

    /// Sends a datagram.
    func send(_ bytes: [UInt8], to receiver: borrowing DatagramSocket) throws {
        let address = receiver.address
        let sent = address.withUnsafeBytes { name in
            bytes.withUnsafeBytes {
                sendto(
                    owned.descriptor.rawValue, $0.baseAddress, $0.count, 0,
                    name.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(name.count))
            }
        }
        guard sent == bytes.count else { throw Errno(rawValue: errno) }
    }

    /// Says what control data datagrams come with.
    func setOption(_ level: CInt, _ name: CInt, _ value: CInt) throws {
        var value = value
        let size = socklen_t(MemoryLayout<CInt>.size)
        guard setsockopt(owned.descriptor.rawValue, level, name, &value, size) == 0 else {
            throw Errno(rawValue: errno)
        }
    }

    /// Sends to nobody else, and receives from nobody else, from here on.
    func connect(to peer: borrowing DatagramSocket) throws {
        let number = owned.descriptor.rawValue
        let result = peer.address.withUnsafeBytes {
            Glibc.connect(number, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
        guard result == 0 else { throw Errno(rawValue: errno) }
    }
}

/// Two ends of a connection between unix sockets.
struct UnixPair: ~Copyable {
    let first: OwnedDescriptor
    let second: OwnedDescriptor

    init(_ type: __socket_type = SOCK_STREAM) throws {
        var numbers: [CInt] = [-1, -1]
        guard socketpair(AF_UNIX, CInt(type.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0, &numbers) == 0 else {
            throw Errno(rawValue: errno)
        }
        first = OwnedDescriptor(owning: FileDescriptor(rawValue: numbers[0]))
        second = OwnedDescriptor(owning: FileDescriptor(rawValue: numbers[1]))
    }
}

/// The bytes of a span.
func array(_ bytes: RawSpan) -> [UInt8] { bytes.withUnsafeBytes { Array($0) } }

extension MessageBuffer {
    /// Puts bytes into a segment.
    mutating func put(_ bytes: [UInt8], ofSegment index: Int = 0) { setContents(bytes.span.bytes, ofSegment: index) }

    /// Says whom the message is for.
    mutating func putAddress(_ bytes: [UInt8]) { setAddress(bytes.span.bytes) }

    /// What a segment holds.
    func bytes(ofSegment index: Int = 0) -> [UInt8] { array(contents(ofSegment: index)) }

    /// The address, as the kernel has it.
    var addressBytes: [UInt8] { array(address) }

    /// The parts of the control data.
    var controlParts: [ControlMessage: [UInt8]] {
        var parts: [ControlMessage: [UInt8]] = [:]
        forEachControlMessage { parts[$0] = array($1) }
        return parts
    }

    /// Waits for the completion that gives the message back, and returns its result.
    mutating func taken(from ring: inout Ring) throws -> Int32 {
        while true {
            let completion = try ring.awaited()
            let result = completion.result
            if takeBack(completion) { return result }
        }
    }
}
