import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage

/// A ring that receives from connections into a group of buffers with the number 1.
struct ReceiveScene: Scene, ~Copyable {
    var ring: Ring
    var group: BundleGroup
    private let listener: ScriptListener

    init(buffers: Int, bytes: Int, isIncremental: Bool = false) throws {
        let group = BundleGroup(identifier: 1, count: buffers, bytes: bytes, isIncremental: isIncremental)
        var ring = try Ring.forThisThread(entries: 16, completions: 4096)
        let listener = try ScriptListener()
        try ring.register(group)
        self.group = group
        self.ring = ring
        self.listener = listener
    }

    /// A connection whose accepted end waits in the ring and not in its calls.
    func pair() throws -> ConnectionPair {
        let pair = try listener.pair()
        try pair.server.descriptor.setNonblocking(false)
        return pair
    }

    mutating func receive(
        _ pair: borrowing ConnectionPair, isMultishot: Bool = true, _ flags: ReceiveFlags = [], token: UInt64 = 1
    ) throws(Errno) {
        let file = RequestFile.descriptor(pair.server.descriptor)
        if isMultishot {
            try ring.prepareMultishotReceive(file, from: 1, receiveFlags: flags, token: token)
        } else {
            try ring.prepareReceive(file, from: 1, receiveFlags: flags, token: token)
        }
        try ring.submit()
    }

    /// The next completion; nil if none comes in time.
    mutating func next(within nanoseconds: UInt64 = Patience.limitNanoseconds) throws(Errno) -> Completion? {
        if let completion = ring.nextCompletion() { return completion }
        guard try ring.submitAndWait(timeout: .nanoseconds(nanoseconds)) else { return nil }
        return ring.nextCompletion()
    }

    /// The parts that a completion brought.
    mutating func parts(_ completion: borrowing Completion) -> [BufferPart] {
        var run = group.run(of: completion)
        var parts: [BufferPart] = []
        while let part = group.nextPart(of: &run) { parts.append(part) }
        return parts
    }

    /// Whether a part holds the bytes of ``streamByte(_:)`` from a place in the stream on.
    func holds(_ part: BufferPart, from place: Int) -> Bool {
        let bytes = unsafe UnsafeRawBufferPointer(start: group.memory(of: part), count: part.count)
        return unsafe bytes.enumerated().allSatisfy { $1 == streamByte(place + $0) }
    }
}

/// The byte at a place of a stream in which no piece of some length looks like another near it.
func streamByte(_ place: Int) -> UInt8 { UInt8(truncatingIfNeeded: place &* 7 &+ place >> 8) }
