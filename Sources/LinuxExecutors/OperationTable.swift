/// The operations that tasks wait for, by index: what an executor's thread has to resume.
///
/// An operation is named by its index and by a generation that it has for one life, so that what comes too late for it,
/// a cancellation or an event, names nothing.
@safe struct OperationTable: ~Copyable {
    enum State: UInt8 {
        /// Nobody's.
        case free
        /// The task has not been suspended yet.
        case begun
        /// The task was cancelled before it was suspended.
        case abandoned
        /// The task is suspended.
        case waiting
        /// The task is suspended, and its request is being cancelled.
        case ending
    }

    enum Kind: UInt8 {
        /// A request of a ring.
        case request
        /// A sleep.
        case timer
        /// Waits until a descriptor is readable.
        case reader
        /// Waits until a descriptor is writable.
        case writer
    }

    @unsafe struct Operation {
        var generation: UInt32 = 0
        /// The next free one; of a reader or writer, the next of the same descriptor.
        var next = OperationTable.none
        /// Of a timer its place in the heap, of a reader or writer its descriptor.
        var place: Int32 = 0
        var state = State.free
        var kind = Kind.request
        var continuation: UnsafeContinuation<Int32, Never>?
    }

    /// An index that names nothing.
    static var none: UInt32 { .max }

    private var operations: UnsafeMutablePointer<Operation>
    private var capacity: UInt32 = 0
    /// The first is never given out: what the executor asks for itself is named by it.
    private var firstFree = Self.none
    /// How many are not free.
    private(set) var count = 0

    init() {
        unsafe operations = .allocate(capacity: 1)
        grow()
        firstFree = 1
    }

    deinit { unsafe operations.deallocate() }

    private mutating func grow() {
        let wanted = max(64, capacity * 2)
        precondition(wanted <= 1 << 24, "an executor has at most 16 777 215 operations pending")
        let larger = UnsafeMutablePointer<Operation>.allocate(capacity: Int(wanted))
        unsafe larger.moveInitialize(from: operations, count: Int(capacity))
        for index in capacity..<wanted {
            var operation = unsafe Operation()
            unsafe operation.next = index + 1 == wanted ? Self.none : index + 1
            unsafe (larger + Int(index)).initialize(to: operation)
        }
        unsafe operations.deallocate()
        unsafe operations = unsafe larger
        firstFree = capacity
        capacity = wanted
    }

    /// Begins an operation and returns its name.
    mutating func begin(_ kind: Kind, place: Int32 = 0) -> UInt64 {
        if firstFree == Self.none { grow() }
        let index = firstFree
        let operation = unsafe operations + Int(index)
        firstFree = unsafe operation.pointee.next
        unsafe operation.pointee.generation &+= 1
        unsafe operation.pointee.next = Self.none
        unsafe operation.pointee.place = place
        unsafe operation.pointee.state = .begun
        unsafe operation.pointee.kind = kind
        count += 1
        return name(index)
    }

    /// What names the operation that lives at an index.
    @inline(__always) func name(_ index: UInt32) -> UInt64 {
        unsafe UInt64(index) << 32 | UInt64(operations[Int(index)].generation)
    }

    /// The index in a name.
    @inline(__always) static func index(_ name: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: name >> 32) }

    /// The operation that lives at an index.
    @unsafe @inline(__always) func at(_ index: UInt32) -> UnsafeMutablePointer<Operation> {
        unsafe operations + Int(index)
    }

    /// The operation of a name; nil when it has ended.
    @unsafe @inline(__always) func find(_ name: UInt64) -> UnsafeMutablePointer<Operation>? {
        let index = Self.index(name)
        guard index < capacity else { return nil }
        let operation = unsafe operations + Int(index)
        guard unsafe operation.pointee.generation == UInt32(truncatingIfNeeded: name),
            unsafe operation.pointee.state != .free
        else { return nil }
        return unsafe operation
    }

    /// Takes note that the task is suspended; false if it was cancelled before.
    @unsafe mutating func suspend(_ name: UInt64, _ continuation: UnsafeContinuation<Int32, Never>) -> Bool {
        guard let operation = unsafe find(name) else { preconditionFailure("an operation that has ended") }
        unsafe operation.pointee.continuation = unsafe continuation
        if unsafe operation.pointee.state == .abandoned { return false }
        unsafe operation.pointee.state = .waiting
        return true
    }

    /// Ends an operation and returns who waits for it; nil when it has ended before.
    @unsafe mutating func end(_ name: UInt64) -> UnsafeContinuation<Int32, Never>? {
        guard let operation = unsafe find(name) else { return nil }
        let continuation = unsafe operation.pointee.continuation
        unsafe operation.pointee.continuation = nil
        unsafe operation.pointee.state = .free
        unsafe operation.pointee.next = firstFree
        firstFree = Self.index(name)
        count -= 1
        return unsafe continuation
    }

    /// The names of all that live.
    var names: [UInt64] {
        (1..<capacity).filter { unsafe operations[Int($0)].state != .free }.map { name($0) }
    }
}
