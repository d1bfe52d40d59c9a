import CIOUring

/// What a ring may do: the rest is forbidden (`io_uring_register_restrictions(3)`, Linux 5.10).
///
/// For a ring that is given to code, or to a process, that is trusted with some requests and not with others.
///
/// ```swift
/// let restrictions = RingRestrictions(
///     operations: [.receive, .send], registrations: [.filesUpdate], requiredFlags: .fixedFile)
/// ```
public struct RingRestrictions: Sendable, Hashable {
    /// The requests that are allowed.
    public var operations: Set<OperationCode>
    /// The registrations that are allowed. What the end of a ring needs is allowed besides
    /// (`IORING_UNREGISTER_PBUF_RING`, `IORING_REGISTER_SYNC_CANCEL`).
    public var registrations: Set<RegistrationCode>
    /// The flags that a submission may have.
    public var allowedFlags: Flags
    /// The flags that every submission must have, which are allowed by that.
    public var requiredFlags: Flags

    /// Describes what is allowed.
    public init(
        operations: Set<OperationCode>, registrations: Set<RegistrationCode> = [], allowedFlags: Flags = [],
        requiredFlags: Flags = []
    ) {
        self.operations = operations
        self.registrations = registrations
        self.allowedFlags = allowedFlags
        self.requiredFlags = requiredFlags
    }

    /// Flags of submissions: the `flags` of an `io_uring_sqe` (`io_uring_enter(2)`).
    public struct Flags: OptionSet, Sendable, Hashable {
        /// The flags as the kernel has them.
        public let rawValue: UInt8

        /// Takes the flags as the kernel has them.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// `IOSQE_FIXED_FILE`: the request works on a slot (``RequestFile/slot(_:)``).
        public static var fixedFile: Self { Self(rawValue: C_IOSQE_FIXED_FILE) }
        /// `IOSQE_IO_DRAIN`: it starts when all before it have ended.
        public static var drain: Self { Self(rawValue: 1 << 1) }
        /// `IOSQE_IO_LINK` (``EntryFlags/link``).
        public static var link: Self { Self(rawValue: C_IOSQE_IO_LINK) }
        /// `IOSQE_IO_HARDLINK`: a link that a failure does not cut.
        public static var hardLink: Self { Self(rawValue: 1 << 3) }
        /// `IOSQE_ASYNC`: a thread of the kernel carries it out.
        public static var async: Self { Self(rawValue: 1 << 4) }
        /// `IOSQE_BUFFER_SELECT`: it picks a buffer from a group (``BufferGroup``).
        public static var bufferSelect: Self { Self(rawValue: C_IOSQE_BUFFER_SELECT) }
        /// `IOSQE_CQE_SKIP_SUCCESS` (``EntryFlags/skipSuccess``).
        public static var skipSuccess: Self { Self(rawValue: C_IOSQE_CQE_SKIP_SUCCESS) }
    }

    func allows(_ operation: OperationCode, _ flags: UInt8) -> Bool {
        let flags = Flags(rawValue: flags)
        return operations.contains(operation) && flags.isSuperset(of: requiredFlags)
            && flags.isSubset(of: allowedFlags.union(requiredFlags))
    }

    static let neededToEnd: Set<RegistrationCode> = [.unregisterBufferGroup, .cancelAtOnce]

    /// What the kernel takes. The kinds are numbers because liburing 2.3 has no name for their enumeration.
    func entries(with needed: Set<RegistrationCode>) -> [io_uring_restriction] {
        func entry(_ kind: UInt16, _ value: UInt8) -> io_uring_restriction {
            var entry = io_uring_restriction()
            entry.opcode = kind
            entry.register_op = value
            return entry
        }
        var entries = operations.map { entry(1, $0.rawValue) }
        entries += registrations.union(needed).map { entry(0, $0.rawValue) }
        entries.append(entry(2, allowedFlags.rawValue))
        entries.append(entry(3, requiredFlags.rawValue))
        return entries
    }
}
