public import CIOUring
import Glibc

/// A message: what `sendmsg(2)` sends and `recvmsg(2)` receives, with all the memory that it needs.
///
/// That is a header, the bytes in one segment or several, the peer's address as the kernel has addresses, and control
/// data. While a request works on it the message is lent to the kernel: reading or changing it then ends the program, and
/// dropping it leaks the memory instead of freeing what the kernel may write into. The request's completion gives it
/// back:
///
/// ```swift
/// var message = MessageBuffer(capacity: 2048)
/// try ring.prepareReceiveMessage(.descriptor(socket), into: &message, token: 1)
/// try ring.submitAndWait()
/// while let completion = ring.nextCompletion() {
///     guard unsafe message.takeBack(completion) else { continue }
///     // Back to whom it came from: the address is that of the sender.
///     try ring.prepareSendMessage(.descriptor(socket), from: &message, token: 2)
/// }
/// ```
///
/// A completion that never comes, of a send with ``EntryFlags/skipSuccess``, gives nothing back.
@safe public struct MessageBuffer: ~Copyable, Sendable {
    // Sendable although it is a pointer: the memory has no other owner.
    @usableFromInline nonisolated(unsafe) let header: UnsafeMutablePointer<msghdr>
    nonisolated(unsafe) let vectors: UnsafeMutablePointer<iovec>
    nonisolated(unsafe) let segments: UnsafeMutablePointer<Segment>
    nonisolated(unsafe) let addressStart: UnsafeMutableRawPointer
    nonisolated(unsafe) let controlStart: UnsafeMutableRawPointer
    /// How many segments there are.
    public let segmentCount: Int
    /// The longest address that there is room for, in bytes.
    public let addressCapacity: Int
    /// Room for control data, with what lies between its parts, in bytes.
    public let controlCapacity: Int
    /// What the request that works on it carries.
    @usableFromInline var lentTo: UInt64?
    var lentForReceive = false
    /// What the kernel said of the message that was received last.
    public internal(set) var flags: MessageFlags = []
    /// The length of the address that came, of which there may be more than there is room for.
    var addressLength = 0

    @unsafe struct Segment {
        let start: UnsafeMutableRawPointer
        let capacity: Int
    }

    /// Allocates a message of one segment.
    ///
    /// - Precondition: what ``init(segments:addressCapacity:controlCapacity:)`` says.
    public init(capacity: Int, addressCapacity: Int = 128, controlCapacity: Int = 0) {
        self.init(segments: [capacity], addressCapacity: addressCapacity, controlCapacity: controlCapacity)
    }

    /// Allocates a message of several segments, which are sent one after the other, and filled one after the other.
    ///
    /// - Parameters:
    ///   - sizes: the size of each, in bytes.
    ///   - addressCapacity: room for an address; 128 bytes hold any that Linux has.
    ///   - controlCapacity: room for control data: for each part its own size rounded up to 8, and 16.
    /// - Precondition: there are 1 to 1024 segments, which hold 2 147 479 552 bytes together at most, and at least one;
    ///   the address has 0 to 128, and control data 0 to 1 048 576 bytes.
    public init(segments sizes: [Int], addressCapacity: Int = 128, controlCapacity: Int = 0) {
        precondition((1...1024).contains(sizes.count), "a message has 1 to 1024 segments")
        precondition((0...128).contains(addressCapacity), "an address has 0 to 128 bytes")
        precondition((0...1 << 20).contains(controlCapacity), "control data has 0 to 1048576 bytes")
        precondition(
            sizes.allSatisfy { (0...largestTransferBytes).contains($0) }, "a segment has 0 to 2147479552 bytes")
        let total = sizes.reduce(0, +)
        precondition((1...largestTransferBytes).contains(total), "a message has 1 to 2147479552 bytes")
        var layout = MemoryPlan()
        let headerPlace = unsafe layout.place(MemoryLayout<msghdr>.size)
        let vectorPlace = unsafe layout.place(sizes.count * MemoryLayout<iovec>.stride)
        let segmentPlace = unsafe layout.place(sizes.count * MemoryLayout<Segment>.stride)
        let addressPlace = layout.place(addressCapacity)
        let controlPlace = layout.place(controlCapacity)
        let places = sizes.map { layout.place($0) }
        let base = UnsafeMutableRawPointer.allocate(byteCount: layout.size, alignment: 16)
        // What the kernel did not write can be read, too.
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: layout.size)
        unsafe header = (base + headerPlace).bindMemory(to: msghdr.self, capacity: 1)
        unsafe vectors = (base + vectorPlace).bindMemory(to: iovec.self, capacity: sizes.count)
        unsafe segments = (base + segmentPlace).bindMemory(to: Segment.self, capacity: sizes.count)
        unsafe addressStart = base + addressPlace
        unsafe controlStart = base + controlPlace
        segmentCount = sizes.count
        self.addressCapacity = addressCapacity
        self.controlCapacity = controlCapacity
        for (index, size) in sizes.enumerated() {
            unsafe segments[index] = Segment(start: base + places[index], capacity: size)
            unsafe vectors[index] = iovec(iov_base: base + places[index], iov_len: 0)
        }
        unsafe header.pointee.msg_iov = unsafe vectors
        unsafe header.pointee.msg_iovlen = .init(sizes.count)
    }

    deinit {
        // The kernel may write into it yet.
        if lentTo == nil { unsafe UnsafeMutableRawPointer(header).deallocate() }
    }

    /// Whether a request works on the message.
    public var isLent: Bool { lentTo != nil }

    @inline(__always) func ensureOwn() {
        precondition(lentTo == nil, "a message that a request works on")
    }
}

/// Puts one thing after the other into memory, each on a border that suits every type.
private struct MemoryPlan {
    var size = 0

    mutating func place(_ bytes: Int) -> Int {
        let place = size
        size += (bytes + 15) & ~15
        return place
    }
}
