import LinuxDescriptors
import LinuxRings
import Meters
import SystemPackage

/// How a ring sends replies: with a copy, or from where they are.
struct ReplySending {
    /// A send without a copy has a second completion, which says that its memory is free again.
    let hasNotifications: Bool
    /// Notifications say whether the kernel copied after all (Linux 6.2).
    private let flags: SendFlags
    /// The memory that the ring knows beforehand; nil if it knows none.
    private let registered: RegisteredBuffer?
    private let start: UInt

    /// With a copy.
    init() { (hasNotifications, flags, registered, start) = (false, [], nil, 0) }

    /// - Parameters:
    ///   - zeroCopy: nil to copy.
    ///   - group: whose buffers replies are sent from. It must be registered with the ring.
    init(_ zeroCopy: Mode.ZeroCopySend?, from group: borrowing BufferGroup, _ ring: inout Ring) throws(Errno) {
        hasNotifications = zeroCopy != nil
        flags = zeroCopy != nil && Mode.ZeroCopySend.tellsOfCopies ? .reportUsage : []
        registered = zeroCopy == .registered ? try ring.registerMemory(of: group) : nil
        start = UInt(bitPattern: unsafe group.start)
    }

    /// Queues a send without a copy. A reply that is not in the group's memory is the same for many, and is sent from where
    /// it is without being registered.
    @unsafe @inline(__always)
    func prepareZeroCopy(
        _ file: RequestFile, from memory: UnsafeRawPointer, count: Int, token: UInt64, _ ring: inout Ring
    ) throws(Errno) {
        let offset = Int(bitPattern: UInt(bitPattern: memory) &- start)
        if let registered, offset >= 0, offset + count <= registered.count {
            let part = registered.extracting(offset..<offset + count)
            return try ring.prepareSendZeroCopy(file, from: part, sendFlags: flags, token: token)
        }
        try unsafe ring.prepareSendZeroCopy(file, from: memory, count: count, sendFlags: flags, token: token)
    }
}

extension Mode.ZeroCopySend {
    /// True if notifications say whether the kernel copied after all (Linux 6.2).
    package static var tellsOfCopies: Bool { KernelVersion.running.map { $0 >= KernelVersion(6, 2) } ?? true }
}
