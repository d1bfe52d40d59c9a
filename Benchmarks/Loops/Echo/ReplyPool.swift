import CSocketExtras
import Glibc
import LinuxRings

/// What is to be sent for the requests in a part of a buffer, and which part comes after.
@unsafe struct PartReply {
    var start: UnsafeRawPointer?
    var count = 0
    var requests = Requests()
    /// Whole requests behind those.
    var rest: UnsafeMutableRawPointer?
    var restBytes = 0
    /// Where the requests are: a part of a buffer, or memory of the pool's.
    var part: BufferPart?
    var block: UnsafeMutableRawPointer?
    var next: Int32 = -1

    /// The reply to the first requests of so many bytes that are whole requests.
    mutating func set(
        to requests: Requests, of format: RequestFormat, _ start: UnsafeMutableRawPointer, _ whole: Int
    ) {
        let bytes = unsafe format.reply(to: requests, at: start)
        unsafe self.start = bytes.baseAddress
        unsafe count = bytes.count
        unsafe self.requests = requests
        unsafe rest = start + requests.bytes
        unsafe restBytes = whole - requests.bytes
    }
}

/// Memory for replies that wait, taken and given back: it grows to what was needed at once.
@safe struct ReplyPool: ~Copyable {
    private var replies: UnsafeMutablePointer<PartReply>
    private var capacity = 64
    private var firstFree: Int32 = 0
    private var blocks: [UnsafeMutableRawPointer] = unsafe []
    private var gathers: [UnsafeMutableRawPointer] = unsafe []
    /// Bytes of a block: the beginning of a request, and a part.
    private let blockBytes: Int

    /// Pieces of memory that one send takes at the most.
    static var mostPieces: Int { 64 }
    private static var headerBytes: Int { 64 }

    init(blockBytes: Int) {
        self.blockBytes = blockBytes
        unsafe replies = .allocate(capacity: capacity)
        chain(from: 0)
    }

    deinit {
        unsafe replies.deallocate()
        for index in unsafe blocks.indices { unsafe blocks[index].deallocate() }
        for index in unsafe gathers.indices { unsafe gathers[index].deallocate() }
    }

    subscript(index: Int32) -> PartReply {
        unsafeAddress { unsafe UnsafePointer(replies + Int(index)) }
        unsafeMutableAddress { unsafe replies + Int(index) }
    }

    mutating func take(_ reply: PartReply) -> Int32 {
        if firstFree < 0 { grow() }
        let index = firstFree
        firstFree = unsafe replies[Int(index)].next
        unsafe replies[Int(index)] = unsafe reply
        return index
    }

    mutating func giveBack(_ index: Int32) {
        unsafe replies[Int(index)] = PartReply(next: firstFree)
        firstFree = index
    }

    private mutating func grow() {
        let old = unsafe replies
        unsafe replies = .allocate(capacity: 2 * capacity)
        unsafe replies.moveInitialize(from: old, count: capacity)
        unsafe old.deallocate()
        firstFree = Int32(capacity)
        capacity *= 2
        chain(from: capacity / 2)
    }

    /// Makes the last part of the memory free.
    private func chain(from first: Int) {
        for index in first..<capacity {
            let next = index + 1 < capacity ? Int32(index + 1) : -1
            unsafe (replies + index).initialize(to: PartReply(next: next))
        }
    }

    // MARK: Requests that are not in one part

    @unsafe mutating func takeBlock() -> UnsafeMutableRawPointer {
        unsafe blocks.popLast() ?? .allocate(byteCount: blockBytes, alignment: 64)
    }

    @unsafe mutating func giveBack(block: UnsafeMutableRawPointer) { unsafe blocks.append(block) }

    // MARK: Sends from several places

    /// A message header, with the pieces behind it.
    @unsafe mutating func takeGather() -> UnsafeMutablePointer<msghdr> {
        if let gather = unsafe gathers.popLast() { return unsafe gather.assumingMemoryBound(to: msghdr.self) }
        let bytes = unsafe Self.headerBytes + Self.mostPieces * MemoryLayout<iovec>.stride
        let gather = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
        let header = unsafe gather.initializeMemory(as: msghdr.self, to: msghdr())
        let pieces = unsafe (gather + Self.headerBytes).initializeMemory(
            as: iovec.self, repeating: iovec(), count: Self.mostPieces)
        unsafe header.pointee.msg_iov = pieces
        return unsafe header
    }

    @unsafe mutating func giveBack(gather: UnsafeMutablePointer<msghdr>) {
        unsafe gathers.append(UnsafeMutableRawPointer(gather))
    }
}
