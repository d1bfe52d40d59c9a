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
        /// The number's generation from bit 32 on, `openBit`, and below it how many workers hold the connection.
        case state
    }

    private static let openBit: UInt64 = 1 << 31
    /// What a token has room for.
    private static let generations: UInt64 = 1 << 24

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
        unsafe word(number, .nextSequence).pointee.store(0, ordering: .relaxed)
        unsafe word(number, .tailCount).pointee.store(0, ordering: .relaxed)
        unsafe word(number, .state).pointee.bitwiseOr(Self.openBit, ordering: .releasing)
    }

    /// The connection is closed, or about to be, by the caller; false if somebody else was first.
    @discardableResult func ended(_ number: CInt) -> Bool {
        let word = unsafe word(number, .state)
        var state = unsafe word.pointee.load(ordering: .relaxed)
        while state & Self.openBit != 0 {
            let holders = state & (Self.openBit - 1)
            let next = ((state >> 32 + 1) % Self.generations) << 32 | holders
            let result = unsafe word.pointee.compareExchange(
                expected: state, desired: next, ordering: .acquiringAndReleasing)
            if result.exchanged {
                count.closed()
                return true
            }
            state = result.original
        }
        return false
    }

    /// Which of the connections that had this number one after the other is the present or next one, from 0.
    @inline(__always) func generation(of number: CInt) -> UInt32 {
        UInt32(unsafe word(number, .state).pointee.load(ordering: .relaxed) >> 32)
    }

    /// Keeps the connection's descriptor from being closed by other workers; false if that connection has ended.
    @inline(__always) func hold(_ number: CInt, generation: UInt32) -> Bool {
        let word = unsafe word(number, .state)
        var state = unsafe word.pointee.load(ordering: .relaxed)
        while state & Self.openBit != 0, state >> 32 == UInt64(generation) {
            let result = unsafe word.pointee.compareExchange(expected: state, desired: state + 1, ordering: .acquiring)
            if result.exchanged { return true }
            state = result.original
        }
        return false
    }

    /// Ends a hold; true if the connection has ended and the caller, who was the last, is to close its descriptor.
    @inline(__always) func release(_ number: CInt) -> Bool {
        let state = unsafe word(number, .state).pointee.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue
        return state & (2 * Self.openBit - 1) == 0
    }

    /// True until somebody has closed the connection.
    @inline(__always) func isOpen(_ number: CInt) -> Bool {
        unsafe word(number, .state).pointee.load(ordering: .relaxed) & Self.openBit != 0
    }

    /// Connections whose descriptor nobody has closed.
    var open: [CInt] {
        (0..<CInt(capacity)).filter {
            unsafe word($0, .state).pointee.load(ordering: .relaxed) & (2 * Self.openBit - 1) != 0
        }
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
