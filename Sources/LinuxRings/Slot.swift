public import CIOUring
public import LinuxDescriptors

/// A place in a ring's own file table (`io_uring_register_files(3)`): what a direct accept yields.
///
/// It is a plain number and owns nothing: what is in the slot lives until ``Ring/prepareClose(slot:_:token:)`` or
/// ``Ring/emptySlot(_:)``, or until the ring ends.
@frozen public struct Slot: Sendable, Hashable, CustomStringConvertible {
    /// Counted from 0.
    public let index: UInt32

    /// The slot of this number; the kernel says `EINVAL` or `EBADF` where the table has none such.
    @inlinable public init(_ index: UInt32) { self.index = index }

    /// `slot 7`.
    public var description: String { "slot \(index)" }
}

/// What a request works on: a descriptor of the process, borrowed until the completion came, or a slot of the ring.
@frozen public struct RequestFile: Sendable, Hashable {
    @usableFromInline let number: CInt
    @usableFromInline let flags: UInt8

    @inlinable init(number: CInt, flags: UInt8) {
        self.number = number
        self.flags = flags
    }

    /// A descriptor that somebody else owns.
    @inlinable public static func descriptor(_ descriptor: BorrowedDescriptor) -> RequestFile {
        RequestFile(number: descriptor.rawValue, flags: 0)
    }

    /// A slot of the ring's own file table (`IOSQE_FIXED_FILE`).
    @inlinable public static func slot(_ slot: Slot) -> RequestFile {
        RequestFile(number: CInt(bitPattern: slot.index), flags: C_IOSQE_FIXED_FILE)
    }
}
