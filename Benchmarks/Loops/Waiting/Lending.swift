import Glibc
import Meters
import SystemPackage

/// Memory that is received into and sent from where it is (`vmsplice(2)`), and the pipe through which it goes.
///
/// The kernel does not copy: what a socket was given are these pages, and nothing says when it has done with them. That the
/// pipe is empty does not, and that the peer has acknowledged all (`SIOCOUTQ`) does on a network only: on loopback the pages
/// lie in the peer's receive queue until its program has read them. So no byte is written twice. Replies lie behind each
/// other, and at the end of the memory the process gives its pages up and gets others at the same place (`madvise(2)`,
/// `MADV_DONTNEED`); the kernel frees the old ones when the last byte of them has been read.
@safe struct Lending: ~Copyable {
    var pipe: SplicePipe
    private let start: UnsafeMutableRawPointer
    private let bytes: Int
    private let pipeBytes: Int
    /// What one receive may bring.
    private let room: Int
    private var used = 0

    /// - Parameters:
    ///   - room: the most that one receive may bring, in bytes.
    ///   - bytes: how much memory there is; room for 16 receives at least, and a mebibyte, if nil.
    /// - Throws: what `pipe2(2)` and `mmap(2)` throw.
    init(room: Int, bytes wanted: Int? = nil) throws(Errno) {
        let page = sysconf(CInt(_SC_PAGESIZE))
        let bytes = (max(room, wanted ?? max(16 * room, 1 << 20)) + page - 1) / page * page
        // What begins within a page takes a place more.
        let pipe = try SplicePipe(bytes: room + page)
        let memory = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory = unsafe memory, unsafe memory != MAP_FAILED else { throw Errno(rawValue: errno) }
        self.pipe = pipe
        unsafe start = memory
        self.bytes = bytes
        pipeBytes = room + page
        self.room = room
    }

    deinit { unsafe munmap(start, bytes) }

    /// Memory for the next receive, of which nothing has been sent yet.
    ///
    /// - Throws: what `madvise(2)` throws: `EINVAL` for memory that is locked.
    @unsafe @inline(__always) mutating func next(_ meter: WorkerMeter) throws(Errno) -> UnsafeMutableRawPointer {
        if used + room > bytes { try renew(meter) }
        return unsafe start + used
    }

    /// The first bytes of that memory are going to be sent.
    @inline(__always) mutating func lend(_ count: Int) { used += count }

    private mutating func renew(_ meter: WorkerMeter) throws(Errno) {
        meter.add(.systemCalls)
        if unsafe madvise(start, bytes, CInt(MADV_DONTNEED)) != 0 { throw Errno(rawValue: errno) }
        used = 0
    }

    /// Drops what is in the pipe, which nobody took and must not go to the next connection.
    mutating func dropRest() throws(Errno) {
        if pipe.lent > 0 { pipe = try SplicePipe(bytes: pipeBytes) }
    }
}
