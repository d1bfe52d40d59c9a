import Synchronization

/// A word of memory that threads share; the C loops take its address.
@safe package struct SharedWord: @unchecked Sendable {
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
    @inline(__always) package var value: UInt64 {
        get { unsafe word.pointee.load(ordering: .sequentiallyConsistent) }
        nonmutating set { unsafe word.pointee.store(newValue, ordering: .sequentiallyConsistent) }
    }

    /// Reads and writes that something else puts in order, a system call for example.
    @inline(__always) package var relaxed: UInt64 {
        get { unsafe word.pointee.load(ordering: .relaxed) }
        nonmutating set { unsafe word.pointee.store(newValue, ordering: .relaxed) }
    }

    @inline(__always) func add(_ amount: UInt64) -> UInt64 {
        unsafe word.pointee.wrappingAdd(amount, ordering: .sequentiallyConsistent).newValue
    }

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

/// Shared words side by side, borrowed from their ``SharedWords``: a loop indexes them without counting references.
@safe struct SharedRow: @unchecked Sendable {
    // Unchecked because of the pointer: all access through it is atomic.
    fileprivate let words: UnsafeMutablePointer<Atomic<UInt64>>
    fileprivate let count: Int

    @inline(__always) subscript(index: Int) -> SharedWord {
        // Checked in debug builds: loops index what they were given themselves.
        assert(index >= 0 && index < count, "no such word")
        return unsafe SharedWord(words + index)
    }
}

/// Shared words, freed with the last reference.
package final class SharedWords: Sendable {
    /// The spacing of words that several threads write: two cache lines, which the hardware fetches together.
    static let wordsApart = 16

    /// All of them, with what lies between; valid as long as this holds them.
    let row: SharedRow
    private let spacing: Int

    /// Allocates zeroed words, each `spacing` words from the next.
    init(count: Int, spacing: Int = SharedWords.wordsApart) {
        self.spacing = spacing
        let size = max(count * spacing, 1)
        let raw = UnsafeMutableRawPointer.allocate(byteCount: size * 8, alignment: 128)
        unsafe raw.initializeMemory(as: UInt64.self, repeating: 0, count: size)
        row = unsafe SharedRow(words: raw.assumingMemoryBound(to: Atomic<UInt64>.self), count: count * spacing)
    }

    deinit {
        unsafe UnsafeMutableRawPointer(row.words).deallocate()
    }

    subscript(index: Int) -> SharedWord {
        precondition(index >= 0 && index * spacing < row.count, "no such word")
        return row[index * spacing]
    }
}
