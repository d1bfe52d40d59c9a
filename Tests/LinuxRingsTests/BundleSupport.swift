import LinuxRings
import LinuxSockets
import Testing

/// Why tests of bundles are skipped.
let whyNoBundles: Comment = "bundles need Linux 6.10, incremental buffers 6.12"

/// A group, and how is received into it.
struct GroupShape: Sendable, CustomTestStringConvertible {
    var bytes = 64
    var count = 4
    var isBundle = true
    var isIncremental = false
    var isMultishot = true

    static let all = [true, false].flatMap { isBundle in
        [true, false].flatMap { isIncremental in
            [true, false].map {
                GroupShape(isBundle: isBundle, isIncremental: isIncremental, isMultishot: $0)
            }
        }
    }

    var testDescription: String {
        "\(isBundle ? "bundle" : "one")-\(isIncremental ? "incremental" : "whole")-\(isMultishot ? "many" : "single")"
    }
}

/// A ring that receives from one connection into a group with the number 7.
final class BundleScene {
    var ring: Ring
    var group: BundleGroup
    let pair: Pair
    private let shape: GroupShape
    private var sent = 0

    init(_ shape: GroupShape) throws {
        self.shape = shape
        let group = BundleGroup(
            identifier: 7, count: shape.count, bytes: shape.bytes, isIncremental: shape.isIncremental)
        var ring = try Ring.forThisThread(entries: 16)
        try ring.register(group)
        pair = try Pair()
        self.ring = ring
        self.group = group
    }

    func arm() throws {
        let file = RequestFile.descriptor(pair.server.descriptor)
        let flags: ReceiveFlags = shape.isBundle ? .bundle : []
        if shape.isMultishot {
            try ring.prepareMultishotReceive(file, from: 7, receiveFlags: flags, token: 1)
        } else {
            try ring.prepareReceive(file, from: 7, receiveFlags: flags, token: 1)
        }
        try ring.submit()
    }

    /// Sends the next bytes of those that are ``expected(_:_:)``, and waits until they are there.
    func send(_ count: Int) throws {
        let bytes = expected(sent, count)
        #expect(try pair.client.send(bytes.span.bytes) == count)
        sent += count
    }

    /// The bytes from a place in the stream on.
    func expected(_ place: Int, _ count: Int) -> [UInt8] {
        (place..<place + count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
    }

    func take(_ completion: borrowing Completion) -> [BufferPart] {
        var run = group.run(of: completion)
        var parts: [BufferPart] = []
        while let part = group.nextPart(of: &run) { parts.append(part) }
        return parts
    }

    /// The parts of the next completion; a receive that ended with it is armed again.
    func next() throws -> [BufferPart] {
        let completion = try ring.awaited()
        let isArmed = completion.isArmed
        let parts = take(completion)
        if !isArmed { try arm() }
        return parts
    }

    func bytes(of part: BufferPart) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: group.memory(of: part), count: part.count))
    }

    /// Gives parts back in an order that differs from round to round.
    func giveBack(_ parts: inout [BufferPart], _ round: Int) {
        if round % 3 == 1 { parts.reverse() }
        if round % 3 == 2 && parts.count > 1 { parts.swapAt(0, 1) }
        for part in parts { group.recycle(part) }
        parts = []
    }
}
