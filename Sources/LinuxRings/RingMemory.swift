import Glibc
public import SystemPackage

/// Memory for the queues of a ring (``Ring/init(entries:completions:_:poller:memory:)``), or for what else the kernel reads by
/// itself. It ends with what it was given to.
@safe public struct RingMemory: ~Copyable {
    let start: UnsafeMutableRawPointer
    /// How large it is, in bytes.
    public let bytes: Int
    private let isOwned: Bool

    /// Maps memory that holds zeros (`mmap(2)`). A child of a fork shares it, as it shares the queues of other rings.
    ///
    /// - Parameters:
    ///   - bytes: rounded up to whole pages.
    ///   - hugePages: takes huge pages, which have to be there (`MAP_HUGETLB`, `/proc/sys/vm/nr_hugepages`), and
    ///     `bytes` a multiple of their size.
    /// - Throws: `ENOMEM`, also when there are no huge pages left; `EINVAL` for none.
    public init(bytes: Int, hugePages: Bool = false) throws(Errno) {
        guard bytes > 0 else { throw .invalidArgument }
        let bytes = roundedToPages(bytes)
        let flags = MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE | (hugePages ? 0x40000 /* MAP_HUGETLB */ : 0)
        let start = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let start = unsafe start, unsafe start != MAP_FAILED else { throw Errno(rawValue: errno) }
        unsafe self.start = start
        self.bytes = bytes
        isOwned = true
    }

    /// Takes memory that somebody else owns: it must begin at a page, hold zeros, and live until the process ends or the
    /// ring is gone from the kernel. That is a moment after its end in this process, when what was pending has been
    /// cancelled, and later where others have its descriptor.
    ///
    /// - Throws: `EINVAL` for memory that does not begin at a page, or for none.
    @unsafe public init(lent memory: UnsafeMutableRawBufferPointer) throws(Errno) {
        guard let start = memory.baseAddress, Int(bitPattern: start) % pageBytes == 0 else {
            throw .invalidArgument
        }
        unsafe self.start = start
        bytes = memory.count
        isOwned = false
    }

    deinit {
        // The kernel holds the pages as long as it uses them.
        if isOwned { unsafe munmap(start, bytes) }
    }

    /// How much the queues of a ring take, in whole pages.
    ///
    /// - Parameters:
    ///   - entries: submissions that can be queued; rounded up to a power of two, as the kernel does.
    ///   - completions: room for completions, twice `entries` if not given.
    public static func bytesNeeded(entries: UInt32, completions: UInt32? = nil) -> Int {
        let submissions = powerOfTwo(entries)
        let completions = completions.map(powerOfTwo) ?? 2 * submissions
        // Heads, tails and counts, completions, and the array of positions.
        return submissionBytes(entries) + roundedToPages(512 + 16 * completions + 4 * submissions)
    }

    private static func submissionBytes(_ entries: UInt32) -> Int { roundedToPages(64 * powerOfTwo(entries)) }

    private static func powerOfTwo(_ count: UInt32) -> Int {
        count < 2 ? 1 : 1 << (Int.bitWidth - (Int(count) - 1).leadingZeroBitCount)
    }

    /// Where either queue begins.
    @unsafe func places(
        entries: UInt32
    ) -> (queues: UnsafeMutableRawPointer, submissions: UnsafeMutableRawPointer) {
        unsafe (start + Self.submissionBytes(entries), start)
    }
}

private let pageBytes = sysconf(CInt(_SC_PAGESIZE))

private func roundedToPages(_ bytes: Int) -> Int { (bytes + pageBytes - 1) / pageBytes * pageBytes }
