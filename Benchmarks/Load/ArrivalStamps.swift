import CSocketExtras
import Glibc

/// Receives with the time at which the kernel got the bytes (`SO_TIMESTAMPING`, Documentation/networking/timestamping of
/// the kernel).
///
/// A receive is one call as before, `recvmsg(2)` instead of `recv(2)`, with 64 bytes of control data; a connection takes one
/// `setsockopt(2)` more. The kernel stamps every packet of the machine as long as one socket wants it. All memory is
/// allocated beforehand. It belongs to one thread.
@safe final class ArrivalStamps {
    private let header: UnsafeMutablePointer<msghdr>
    private let part: UnsafeMutablePointer<iovec>
    private let control: UnsafeMutableRawPointer
    private static let controlBytes = 128
    /// When the kernel got what was received last, in nanoseconds of `CLOCK_REALTIME`; 0 if it did not say. Of several
    /// segments that one call brings it is the time of the last.
    private(set) var arrival: UInt64 = 0
    /// Why stamps cannot be had, of the first socket that was refused them; 0 if none was.
    private(set) var refusal: CInt = 0

    init() {
        unsafe header = .allocate(capacity: 1)
        unsafe header.initialize(to: msghdr())
        unsafe part = .allocate(capacity: 1)
        unsafe part.initialize(to: iovec())
        unsafe control = .allocate(byteCount: Self.controlBytes, alignment: 16)
        unsafe header.pointee.msg_iov = part
        unsafe header.pointee.msg_iovlen = 1
        unsafe header.pointee.msg_control = control
    }

    deinit {
        unsafe header.deallocate()
        unsafe part.deallocate()
        unsafe control.deallocate()
    }

    /// Has a socket's packets stamped as the kernel gets them: `SOF_TIMESTAMPING_RX_SOFTWARE` and
    /// `SOF_TIMESTAMPING_SOFTWARE`. The number of the option (37) is that of every architecture Swift runs on.
    func enable(_ descriptor: CInt) {
        var flags: CInt = 1 << 3 | 1 << 4
        let bytes = socklen_t(MemoryLayout<CInt>.size)
        if unsafe setsockopt(descriptor, SOL_SOCKET, Self.option, &flags, bytes) != 0, refusal == 0 { refusal = errno }
    }

    private static let option: CInt = 37

    /// Of a datagram that is cut, how long it was (`MSG_TRUNC`).
    static let wholeLength = CInt(MSG_TRUNC)

    /// As `recv(2)`; the negative error instead of setting `errno`.
    @unsafe func receive(_ descriptor: CInt, _ buffer: UnsafeMutableRawPointer, _ count: Int, _ flags: CInt = 0) -> Int
    {
        unsafe part.pointee.iov_base = buffer
        unsafe part.pointee.iov_len = count
        unsafe header.pointee.msg_controllen = .init(Self.controlBytes)
        arrival = 0
        let received = unsafe recvmsg(descriptor, header, flags)
        guard received > 0 else { return received < 0 ? -Int(errno) : 0 }
        let end = unsafe min(Int(header.pointee.msg_controllen), Self.controlBytes)
        arrival = unsafe Self.stamp(UnsafeRawBufferPointer(start: control, count: end))
        return received
    }

    /// The time in control data: of three `timespec` the first; 0 if there is none. A `cmsghdr` is a length of a machine
    /// word, level and type; what says of itself that it is longer than what is there ends the search.
    static func stamp(_ control: UnsafeRawBufferPointer) -> UInt64 {
        let word = MemoryLayout<Int>.size
        let head = word + 8
        var offset = 0
        while control.count - offset >= head {
            let length = unsafe control.loadUnaligned(fromByteOffset: offset, as: Int.self)
            guard length >= head, length <= control.count - offset else { return 0 }
            let level = unsafe control.loadUnaligned(fromByteOffset: offset + word, as: CInt.self)
            let type = unsafe control.loadUnaligned(fromByteOffset: offset + word + 4, as: CInt.self)
            if level == SOL_SOCKET, type == option, length >= head + MemoryLayout<timespec>.size {
                let time = unsafe control.loadUnaligned(fromByteOffset: offset + head, as: timespec.self)
                return UInt64(truncatingIfNeeded: time.tv_sec) &* 1_000_000_000
                    &+ UInt64(truncatingIfNeeded: time.tv_nsec)
            }
            offset += min((length + word - 1) & ~(word - 1), control.count - offset)
        }
        return 0
    }
}
