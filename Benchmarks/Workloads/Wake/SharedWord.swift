import Synchronization

/// A word of memory that threads share; the C loops take its address.
@safe struct SharedWord: @unchecked Sendable {
    // Unchecked because of the pointer: all access through it is atomic.
    private let word: UnsafeMutablePointer<Atomic<UInt64>>

    fileprivate init(_ word: UnsafeMutablePointer<Atomic<UInt64>>) {
        unsafe self.word = unsafe word
    }

    /// The word as the C loops take it.
    @unsafe var address: UnsafeMutablePointer<UInt64> {
        unsafe UnsafeMutableRawPointer(word).assumingMemoryBound(to: UInt64.self)
    }

    /// Reads and writes in one order that all threads agree on.
    @inline(__always) var value: UInt64 {
        get { unsafe word.pointee.load(ordering: .sequentiallyConsistent) }
        nonmutating set { unsafe word.pointee.store(newValue, ordering: .sequentiallyConsistent) }
    }

    /// Reads and writes that something else puts in order, a system call for example.
    @inline(__always) var relaxed: UInt64 {
        get { unsafe word.pointee.load(ordering: .relaxed) }
        nonmutating set { unsafe word.pointee.store(newValue, ordering: .relaxed) }
    }

    /// Adds and returns the sum.
    @inline(__always) func add(_ amount: UInt64) -> UInt64 {
        unsafe word.pointee.wrappingAdd(amount, ordering: .sequentiallyConsistent).newValue
    }

    /// Subtracts and returns the difference.
    @inline(__always) func subtract(_ amount: UInt64) -> UInt64 {
        unsafe word.pointee.wrappingSubtract(amount, ordering: .sequentiallyConsistent).newValue
    }

    /// Writes and returns what was there.
    @inline(__always) func exchange(_ value: UInt64) -> UInt64 {
        unsafe word.pointee.exchange(value, ordering: .sequentiallyConsistent)
    }

    /// Writes if `expected` is there; false if something else is.
    @inline(__always) func replace(_ expected: UInt64, by value: UInt64) -> Bool {
        unsafe word.pointee.compareExchange(
            expected: expected, desired: value, ordering: .sequentiallyConsistent
        ).exchanged
    }
}

/// A row of shared words, borrowed from the ``SharedWords`` that hold them: what a loop indexes without counting
/// references.
@safe struct SharedRow: @unchecked Sendable {
    // Unchecked because of the pointer: all access through it is atomic.
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let count: Int

    fileprivate init(_ words: UnsafeMutablePointer<Atomic<UInt64>>, count: Int) {
        unsafe self.words = unsafe words
        self.count = count
    }

    @inline(__always) subscript(index: Int) -> SharedWord {
        // Checked in debug builds: loops index what they were given themselves.
        assert(index >= 0 && index < count, "no such word")
        return unsafe SharedWord(words + index)
    }

    /// The first word as the C loops take it.
    @unsafe var address: UnsafeMutablePointer<UInt64> {
        unsafe UnsafeMutableRawPointer(words).assumingMemoryBound(to: UInt64.self)
    }
}

/// Shared words, freed when nobody holds the block any more.
@safe final class SharedWords: Sendable {
    // Written through atomics only.
    nonisolated(unsafe) private let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let spacing: Int
    private let count: Int

    /// Allocates zeroed words, each `spacing` words from the next: 16 gives each its own pair of cache lines.
    init(count: Int, spacing: Int) {
        self.spacing = spacing
        self.count = count
        let size = max(count * spacing, 1)
        let raw = UnsafeMutableRawPointer.allocate(byteCount: size * 8, alignment: 128)
        unsafe raw.initializeMemory(as: UInt64.self, repeating: 0, count: size)
        unsafe words = raw.assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    deinit {
        unsafe UnsafeMutableRawPointer(words).deallocate()
    }

    subscript(index: Int) -> SharedWord {
        precondition(index >= 0 && index < count, "no such word")
        return unsafe SharedWord(words + index * spacing)
    }

    /// All of them, valid as long as this holds them.
    var row: SharedRow {
        precondition(spacing == 1, "a row has no gaps")
        return unsafe SharedRow(words, count: count)
    }
}
