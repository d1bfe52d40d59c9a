import CIOUring

/// Which requests a cancellation is meant for.
@frozen public struct CancelTarget: Sendable, Hashable {
    @usableFromInline let token: UInt64
    @usableFromInline let number: CInt
    @usableFromInline let flags: UInt32

    @usableFromInline init(token: UInt64 = 0, number: CInt = -1, flags: UInt32 = 0) {
        self.token = token
        self.number = number
        self.flags = flags
    }

    /// What carries this token.
    public static func token(_ token: UInt64) -> Self { Self(token: token) }

    /// What works on this open file (`IORING_ASYNC_CANCEL_FD`, Linux 5.19; of a slot Linux 6.0), whatever descriptor or
    /// slot it was named by. Timeouts work on none, and are not found.
    public static func file(_ file: RequestFile) -> Self {
        let isSlot = file.flags & C_IOSQE_FIXED_FILE != 0
        let kind = UInt32(IORING_ASYNC_CANCEL_FD) | (isSlot ? UInt32(IORING_ASYNC_CANCEL_FD_FIXED) : 0)
        return Self(number: file.number, flags: kind)
    }

    /// Everything that is pending on the ring (`IORING_ASYNC_CANCEL_ANY`, Linux 5.19).
    public static var everything: Self { Self(flags: UInt32(IORING_ASYNC_CANCEL_ANY)) }

    @usableFromInline func flags(all: Bool) -> UInt32 { flags | (all ? UInt32(IORING_ASYNC_CANCEL_ALL) : 0) }

    /// Whether the kernel answers with a number of requests.
    func isCounted(all: Bool) -> Bool { all || flags & UInt32(IORING_ASYNC_CANCEL_ANY) != 0 }
}
