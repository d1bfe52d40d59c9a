import Synchronization

/// What the server knows of each connection, by descriptor or ring slot.
///
/// In a set that several workers share, two of them can have parts of one stream at the same time: whether they
/// handle them in order is what the read workload measures. So all access is atomic or under a lock of the
/// connection, and the lock is taken only when a receive ended within a message.
@safe final class EchoConnections: Sendable {
    let capacity: Int
    private let count: OpenCount
    private let tailBytes: Int
    // Freed when nobody holds the table any more; shared through atomics and the connection's lock.
    nonisolated(unsafe) private let words: UnsafeMutablePointer<Atomic<UInt64>>
    nonisolated(unsafe) private let tails: UnsafeMutableRawPointer

    /// Places of a connection's words; a connection has a cache line.
    enum Word: Int {
        case nextSequence
        case tailCount
        case lock
        /// The generation from bit 32 on, `openBit`, and below it how many workers use the connection.
        case state
        /// Of a connection that is handed to workers while it goes on being polled: 0 with none, 1 with one, 2 with one
        /// and more has come since.
        case turn
    }

    private static let openBit: UInt64 = 1 << 31
    /// What a token has room for.
    private static let generations: UInt64 = 1 << 24

    private static let stride = 8

    /// Room for descriptors below `capacity`; connections are counted in `open`.
    ///
    /// - Parameter tailBytes: the longest incomplete request.
    init(capacity: Int, tailBytes: Int, _ open: OpenCount) {
        count = open
        self.capacity = capacity
        self.tailBytes = tailBytes
        let count = capacity * Self.stride
        let raw = UnsafeMutableRawPointer.allocate(byteCount: count * 8, alignment: 64)
        unsafe raw.initializeMemory(as: UInt64.self, repeating: 0, count: count)
        unsafe words = raw.assumingMemoryBound(to: Atomic<UInt64>.self)
        unsafe tails = .allocate(byteCount: capacity * tailBytes, alignment: 64)
    }

    deinit {
        unsafe UnsafeMutableRawPointer(words).deallocate()
        unsafe tails.deallocate()
    }

    @inline(__always) func word(_ fd: CInt, _ word: Word) -> UnsafeMutablePointer<Atomic<UInt64>> {
        unsafe words + Int(fd) * Self.stride + word.rawValue
    }

    /// Begins a new connection.
    func began(_ fd: CInt) {
        count.opened()
        unsafe word(fd, .nextSequence).pointee.store(0, ordering: .relaxed)
        unsafe word(fd, .tailCount).pointee.store(0, ordering: .relaxed)
        unsafe word(fd, .turn).pointee.store(0, ordering: .relaxed)
        unsafe word(fd, .state).pointee.bitwiseOr(Self.openBit, ordering: .releasing)
    }

    /// The connection is closed, or about to be, by the caller; false if another worker was first.
    @discardableResult func ended(_ fd: CInt) -> Bool {
        let word = unsafe word(fd, .state)
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

    /// How many connections had this descriptor or slot before the present or next one.
    @inline(__always) func generation(of fd: CInt) -> UInt32 {
        UInt32(unsafe word(fd, .state).pointee.load(ordering: .relaxed) >> 32)
    }

    /// Keeps the connection's descriptor from being closed by other workers; false if that connection has ended.
    @inline(__always) func acquire(_ fd: CInt, generation: UInt32) -> Bool {
        let word = unsafe word(fd, .state)
        var state = unsafe word.pointee.load(ordering: .relaxed)
        while state & Self.openBit != 0, state >> 32 == UInt64(generation) {
            let result = unsafe word.pointee.compareExchange(expected: state, desired: state + 1, ordering: .acquiring)
            if result.exchanged { return true }
            state = result.original
        }
        return false
    }

    /// Ends what ``acquire(_:generation:)`` began; true if the connection has ended and the caller, the last to use it, is
    /// to close its descriptor.
    @inline(__always) func release(_ fd: CInt) -> Bool {
        let state = unsafe word(fd, .state).pointee.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue
        return state & (2 * Self.openBit - 1) == 0
    }

    /// True until a worker has closed the connection.
    @inline(__always) func isOpen(_ fd: CInt) -> Bool {
        unsafe word(fd, .state).pointee.load(ordering: .relaxed) & Self.openBit != 0
    }

    /// How many connections are open in all tables that count together.
    var openOfAll: Int { count.current }

    /// Connections whose descriptor nobody has closed.
    var open: [CInt] {
        (0..<CInt(capacity)).filter {
            unsafe word($0, .state).pointee.load(ordering: .relaxed) & (2 * Self.openBit - 1) != 0
        }
    }

    /// Notes that messages from sequence number `first` on are handled; false if later ones were before.
    @inline(__always) func handledInOrder(_ fd: CInt, first: UInt64, count: Int) -> Bool {
        let next = unsafe word(fd, .nextSequence)
        let end = first &+ UInt64(count)
        let before = unsafe next.pointee.max(end, ordering: .relaxed).oldValue
        return first >= before
    }

    /// True if the connection's last receive ended within a message.
    @inline(__always) func hasTail(_ fd: CInt) -> Bool {
        unsafe word(fd, .tailCount).pointee.load(ordering: .relaxed) != 0
    }

    /// Takes the incomplete message that the last receive ended with, and returns its length.
    @unsafe func takeTail(_ fd: CInt, into memory: UnsafeMutableRawPointer) -> Int {
        lock(fd)
        defer { unlock(fd) }
        let count = Int(unsafe word(fd, .tailCount).pointee.exchange(0, ordering: .relaxed))
        unsafe memory.copyMemory(from: tails + Int(fd) * tailBytes, byteCount: count)
        return count
    }

    /// Takes the incomplete message to where it ends at `memory`, and returns its length.
    @unsafe func prependTail(_ fd: CInt, before memory: UnsafeMutableRawPointer) -> Int {
        let count = Int(unsafe word(fd, .tailCount).pointee.load(ordering: .relaxed))
        return unsafe takeTail(fd, into: memory - count)
    }

    /// Keeps an incomplete message for the next receive.
    @unsafe func keepTail(_ fd: CInt, _ memory: UnsafeRawPointer, count: Int) {
        lock(fd)
        defer { unlock(fd) }
        unsafe (tails + Int(fd) * tailBytes).copyMemory(from: memory, byteCount: count)
        unsafe word(fd, .tailCount).pointee.store(UInt64(count), ordering: .relaxed)
    }

    private func lock(_ fd: CInt) {
        let lock = unsafe word(fd, .lock)
        while unsafe !lock.pointee.compareExchange(expected: 0, desired: 1, ordering: .acquiring).exchanged {}
    }

    private func unlock(_ fd: CInt) {
        unsafe word(fd, .lock).pointee.store(0, ordering: .releasing)
    }
}

/// How many connections a server has open, over all its workers.
final class OpenCount: Sendable {
    private let now = Atomic(0)
    private let most = Atomic(0)

    var current: Int { now.load(ordering: .relaxed) }

    var peak: Int { most.load(ordering: .relaxed) }

    func opened() {
        let count = now.wrappingAdd(1, ordering: .relaxed).newValue
        if count > peak { most.max(count, ordering: .relaxed) }
    }

    func closed() {
        now.wrappingSubtract(1, ordering: .relaxed)
    }
}
