import Synchronization

/// What the server knows of each connection, by descriptor or ring slot.
///
/// In a set that several workers share, two of them can hold pieces of one stream at the same time: whether they
/// handle them in order is what the read workload measures. So all access is atomic or under a lock of the
/// connection, and the lock is touched only when a piece ended within a message.
@safe final class EchoConnections: Sendable {
    let capacity: Int
    private let count: OpenCount
    private let messageBytes: Int
    // Freed when nobody holds the table any more; shared through atomics and the connection's lock.
    nonisolated(unsafe) private let words: UnsafeMutablePointer<Atomic<UInt64>>
    nonisolated(unsafe) private let tails: UnsafeMutableRawPointer

    /// Places of a connection's words; a connection has a cache line.
    private enum Word: Int {
        case nextSequence
        case tailCount
        case lock
        case isOpen
    }

    private static let stride = 8

    /// Room for descriptors below `capacity`; connections are counted in `open`.
    init(capacity: Int, messageBytes: Int, _ open: OpenCount) {
        count = open
        self.capacity = capacity
        self.messageBytes = messageBytes
        let count = capacity * Self.stride
        let raw = UnsafeMutableRawPointer.allocate(byteCount: count * 8, alignment: 64)
        unsafe raw.initializeMemory(as: UInt64.self, repeating: 0, count: count)
        unsafe words = raw.assumingMemoryBound(to: Atomic<UInt64>.self)
        unsafe tails = .allocate(byteCount: capacity * messageBytes, alignment: 64)
    }

    deinit {
        unsafe UnsafeMutableRawPointer(words).deallocate()
        unsafe tails.deallocate()
    }

    @inline(__always) private func word(_ number: CInt, _ word: Word) -> UnsafeMutablePointer<Atomic<UInt64>> {
        unsafe words + Int(number) * Self.stride + word.rawValue
    }

    /// Begins a new connection under this number.
    func began(_ number: CInt) {
        count.opened()
        unsafe word(number, .isOpen).pointee.store(1, ordering: .relaxed)
        unsafe word(number, .nextSequence).pointee.store(0, ordering: .relaxed)
        unsafe word(number, .tailCount).pointee.store(0, ordering: .relaxed)
    }

    /// The connection is closed, or about to be, by the caller.
    func ended(_ number: CInt) {
        count.closed()
        unsafe word(number, .isOpen).pointee.store(0, ordering: .relaxed)
    }

    /// True until somebody has closed the connection.
    @inline(__always) func isOpen(_ number: CInt) -> Bool {
        unsafe word(number, .isOpen).pointee.load(ordering: .relaxed) != 0
    }

    /// Connections that nobody has closed.
    var open: [CInt] {
        (0..<CInt(capacity)).filter { isOpen($0) }
    }

    /// Notes that a piece whose first message has this number is being handled; false if a later one was before.
    @inline(__always) func handledInOrder(_ number: CInt, first: UInt64, count: Int) -> Bool {
        let next = unsafe word(number, .nextSequence)
        let end = first &+ UInt64(count)
        let before = unsafe next.pointee.max(end, ordering: .relaxed).oldValue
        return first >= before
    }

    /// True if the connection's last piece ended within a message.
    @inline(__always) func hasTail(_ number: CInt) -> Bool {
        unsafe word(number, .tailCount).pointee.load(ordering: .relaxed) != 0
    }

    /// Takes the incomplete message that the last piece ended with, and returns its length.
    @unsafe func takeTail(_ number: CInt, into memory: UnsafeMutableRawPointer) -> Int {
        lock(number)
        defer { unlock(number) }
        let count = Int(unsafe word(number, .tailCount).pointee.exchange(0, ordering: .relaxed))
        unsafe memory.copyMemory(from: tails + Int(number) * messageBytes, byteCount: count)
        return count
    }

    /// Takes the incomplete message to where it ends at `memory`, and returns its length.
    @unsafe func prependTail(_ number: CInt, before memory: UnsafeMutableRawPointer) -> Int {
        let count = Int(unsafe word(number, .tailCount).pointee.load(ordering: .relaxed))
        return unsafe takeTail(number, into: memory - count)
    }

    /// Keeps an incomplete message for the next piece.
    @unsafe func keepTail(_ number: CInt, _ memory: UnsafeRawPointer, count: Int) {
        lock(number)
        defer { unlock(number) }
        unsafe (tails + Int(number) * messageBytes).copyMemory(from: memory, byteCount: count)
        unsafe word(number, .tailCount).pointee.store(UInt64(count), ordering: .relaxed)
    }

    private func lock(_ number: CInt) {
        let lock = unsafe word(number, .lock)
        while unsafe !lock.pointee.compareExchange(expected: 0, desired: 1, ordering: .acquiring).exchanged {}
    }

    private func unlock(_ number: CInt) {
        unsafe word(number, .lock).pointee.store(0, ordering: .releasing)
    }
}

/// How many connections a server has open, over all its workers.
final class OpenCount: Sendable {
    private let now = Atomic(0)
    private let most = Atomic(0)

    var peak: Int { most.load(ordering: .relaxed) }

    func opened() {
        let count = now.wrappingAdd(1, ordering: .relaxed).newValue
        if count > peak { most.max(count, ordering: .relaxed) }
    }

    func closed() {
        now.wrappingSubtract(1, ordering: .relaxed)
    }
}
