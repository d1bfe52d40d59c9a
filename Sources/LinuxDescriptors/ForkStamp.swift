import Glibc
public import Synchronization

/// Tells a process from its parent: taken when something is made that a fork would spoil, and compared before it is
/// used.
///
/// The comparison reads one word of memory that the kernel gives a child as zero (`MADV_WIPEONFORK` of `madvise(2)`,
/// Linux 4.14), so it needs neither a system call nor anybody's help, however the process was forked. Where the kernel
/// does not know it, a fork is not noticed.
@safe @frozen public struct ForkStamp: @unchecked Sendable {
    // Unchecked: the word is atomic and lives as long as the process.
    @usableFromInline let word: UnsafeMutablePointer<Atomic<UInt64>>
    @usableFromInline let value: UInt64

    /// The stamp of this process.
    public static func current() -> ForkStamp {
        ForkStamp(value: Lineage.number())
    }

    private init(value: UInt64) {
        unsafe word = Lineage.word
        self.value = value
    }

    /// True in the process that took the stamp, false in every process forked from it since.
    @inlinable public var isCurrent: Bool {
        @inline(__always) get { unsafe word.pointee.load(ordering: .relaxed) == value }
    }
}

/// Numbers the processes of one line of descent, those that ask.
private enum Lineage {
    // Unsafe: a pointer that is set once, to a word that is atomic.
    nonisolated(unsafe) static let word = unsafe makeWord()

    /// Lives on in a child, so that no two processes of one line get the same number.
    private static let last = Atomic<UInt64>(0)

    static func number() -> UInt64 {
        let seen = unsafe word.pointee.load(ordering: .acquiring)
        if seen != 0 { return seen }
        let next = last.add(1, ordering: .relaxed).newValue
        let (exchanged, original) = unsafe word.pointee.compareExchange(
            expected: 0, desired: next, ordering: .acquiringAndReleasing)
        return exchanged ? next : original
    }

    /// A word in a page of its own, which a child finds zero.
    private static func makeWord() -> UnsafeMutablePointer<Atomic<UInt64>> {
        let size = Int(sysconf(CInt(_SC_PAGESIZE)))
        let page = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let page = unsafe page, unsafe page != MAP_FAILED else {
            // Without memory for a page a word of the heap has to do, and no fork is noticed.
            let word = UnsafeMutablePointer<Atomic<UInt64>>.allocate(capacity: 1)
            unsafe word.initialize(to: Atomic(0))
            return unsafe word
        }
        _ = unsafe madvise(page, size, CInt(MADV_WIPEONFORK))
        let word = unsafe page.bindMemory(to: Atomic<UInt64>.self, capacity: 1)
        unsafe word.initialize(to: Atomic(0))
        return unsafe word
    }
}
