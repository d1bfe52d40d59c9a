import LinuxDescriptors
import LinuxRings
package import Meters
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

extension Traffic {
    /// Buffers of a worker's group that has so many connections: enough for every request in flight, within what a group
    /// can hold and 64 MiB.
    func bufferCount(for own: Int) -> Int {
        let request = wire == .echo ? messageBytes : requestBytes
        let chunks = max(1, depth * request / chunkBytes)
        let wanted = 2 * max(own, connections) * chunks
        return max(8, min(wanted, 1 << 15, Self.mostBufferBytes / chunkBytes))
    }

    static var mostBufferBytes: Int { 64 << 20 }
}

extension ServerPlan {
    /// Memory that the workers register with their rings, in bytes; 0 where they register none.
    package func registeredBytes(for traffic: Traffic) -> Int {
        guard loop.mode.options.zeroCopy == .registered else { return 0 }
        let own = (traffic.connections + traffic.idle + workers - 1) / workers
        // A group has a power of two of buffers.
        let wanted = traffic.bufferCount(for: own)
        let buffers = 1 << (Int.bitWidth - (wanted - 1).leadingZeroBitCount)
        return workers * buffers * (traffic.chunkBytes + traffic.longestRequestBytes)
    }
}
