/// What an event or a completion is about: a kind, a descriptor or slot, and which of the connections that had that
/// descriptor one after the other, packed into the 64 bits that the kernel hands back.
struct Token: RawRepresentable, Equatable {
    let rawValue: UInt64

    enum Kind: UInt64 {
        case connection
        case listener
        case receive
        case send
        case close
        case stop = 0xff
    }

    @inline(__always) init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// The generation has 24 bits.
    @inline(__always) init(_ kind: Kind, _ fd: CInt = 0, generation: UInt32 = 0) {
        rawValue = kind.rawValue << 56 | UInt64(generation) << 32 | UInt64(UInt32(bitPattern: fd))
    }

    @inline(__always) var kind: Kind? { Kind(rawValue: rawValue >> 56) }

    @inline(__always) var fd: CInt { CInt(truncatingIfNeeded: rawValue) }

    @inline(__always) var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) & 0xff_ffff }
}
