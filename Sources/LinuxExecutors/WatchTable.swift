/// What a set knows of the descriptors that tasks of its executor wait for, by number.
@safe struct WatchTable: ~Copyable {
    struct Entry {
        /// Which use of the number this is about: see ``Watch``.
        var watch: UInt32 = 0
        /// The kernel's set has it.
        var isRegistered = false
        /// A read, or a write, has not failed with `EAGAIN` since the last event.
        var mayRead = true
        var mayWrite = true
        /// An end, an error or urgent bytes were reported: a short receive proves nothing any more.
        var isUnusual = false
        /// How many operations wait for it without a watch of their own; they share the one of the first.
        var sharers = 0
        /// The first operation that waits for it to be readable, or writable.
        var readers = OperationTable.none
        var writers = OperationTable.none

        init(watch: UInt32 = 0) { self.watch = watch }

        var isAwaited: Bool { sharers > 0 || readers != OperationTable.none || writers != OperationTable.none }
    }

    private var entries: UnsafeMutablePointer<Entry>
    private var capacity = 64

    init() {
        unsafe entries = .allocate(capacity: capacity)
        unsafe entries.initialize(repeating: Entry(), count: capacity)
    }

    deinit { unsafe entries.deallocate() }

    /// The entry of a number, for one use of it: anew if it was about another; nil if operations of the other wait.
    @unsafe @inline(__always) mutating func entry(_ number: CInt, _ watch: UInt32) -> UnsafeMutablePointer<Entry>? {
        if Int(number) >= capacity { grow(toHold: Int(number)) }
        let entry = unsafe entries + Int(number)
        if unsafe entry.pointee.watch != watch {
            if unsafe entry.pointee.isAwaited { return nil }
            unsafe entry.pointee = Entry(watch: watch)
        }
        return unsafe entry
    }

    /// The entry of a number for an operation that shares it; nil if those of a connection or listener wait.
    @unsafe mutating func sharedEntry(_ number: CInt, _ watch: UInt32) -> UnsafeMutablePointer<Entry>? {
        if let shared = unsafe existing(number), unsafe shared.pointee.sharers > 0 { return unsafe shared }
        return unsafe entry(number, watch)
    }

    /// The entry of a number, whatever it is about; nil if there never was one.
    @unsafe @inline(__always) func existing(_ number: CInt) -> UnsafeMutablePointer<Entry>? {
        unsafe number >= 0 && Int(number) < capacity ? entries + Int(number) : nil
    }

    private mutating func grow(toHold number: Int) {
        var wanted = capacity
        while wanted <= number { wanted *= 2 }
        let larger = UnsafeMutablePointer<Entry>.allocate(capacity: wanted)
        unsafe larger.moveInitialize(from: entries, count: capacity)
        unsafe (larger + capacity).initialize(repeating: Entry(), count: wanted - capacity)
        unsafe entries.deallocate()
        unsafe entries = unsafe larger
        capacity = wanted
    }
}
