import Glibc
import LinuxDescriptors
import LinuxReadiness
import Meters
import SystemPackage

/// A counter against a pipe, both used to signal.
///
/// - ns: write, epoll_wait, read of eight bytes, in one thread, in CPU time; the best of 15 interleaved rounds, because
///   everything but the kernel's own work only adds to it.
/// - bytes: growth of the kernel's slab memory with a thousand and more of each kept open and signalled.
/// - fds: by how many `/proc/self/fd` grows with each.
///
/// A pipe that holds something takes a page more, which is no slab memory and so is not measured: `page_bytes` is its
/// size here, and no verdict depends on it. Much less is half at most.
let eventFDVersusPipe = Experiment(
    id: "eventfd-vs-pipe",
    statement: "an eventfd costs the kernel much less than a pipe, and one descriptor instead of two",
    source: .e, descriptors: 700, conditions: Conditions(),
    keys: ["eventfd_ns", "pipe_ns", "eventfd_bytes", "pipe_bytes", "eventfd_fds", "pipe_fds"],
    observe: {
        let before = openDescriptors()
        let counter = try EventFD()
        let between = openDescriptors()
        let pipe = try Pipe()
        let after = openDescriptors()
        let number = counter.descriptor.rawValue
        let (reader, writer) = (pipe.readEnd.descriptor.rawValue, pipe.writeEnd.descriptor.rawValue)
        var times = (counter: UInt64.max, pipe: UInt64.max)
        for _ in 0..<15 {
            times.counter = min(times.counter, try signalNanoseconds(write: number, read: number))
            times.pipe = min(times.pipe, try signalNanoseconds(write: writer, read: reader))
        }
        pipe.end()
        try counter.close()
        let bytes = try slabBytes()
        return [
            "eventfd_ns": times.counter, "pipe_ns": times.pipe,
            "eventfd_bytes": bytes.counter, "pipe_bytes": bytes.pipe, "eventfd_fds": between - before,
            "pipe_fds": after - between, "page_bytes": sysconf(CInt(_SC_PAGESIZE)),
        ]
    },
    judge: { observed in
        .init(
            parts: ["ns", "bytes", "fds"].map {
                2 * observed["eventfd_\($0)"].number <= observed["pipe_\($0)"].number
            })
    },
    explain: { observed in
        let page = observed["page_bytes"]
        return "A signal takes \(observed["eventfd_ns"]) ns against \(observed["pipe_ns"]) ns, and "
            + "\(observed["eventfd_bytes"]) against \(observed["pipe_bytes"]) bytes of slab memory"
            + (page == .absent ? "." : ", to which a pipe that holds something adds \(page) for its page.")
    })

private func signalNanoseconds(write writer: CInt, read reader: CInt) throws(Errno) -> UInt64 {
    let epoll = try Epoll()
    try epoll.add(BorrowedDescriptor(rawValue: reader), .readable, token: 0)
    let events = EpollEventBuffer(capacity: 1)
    var value: UInt64 = 1
    let signals: UInt64 = 2000
    let start = threadNanoseconds()
    for _ in 0..<signals {
        _ = try systemCall { unsafe write(writer, &value, 8) }
        _ = try epoll.wait(into: events)
        _ = try systemCall { unsafe read(reader, &value, 8) }
    }
    return (threadNanoseconds() - start) / signals
}

private func slabBytes() throws -> (counter: Int, pipe: Int) {
    let limit = Int(clamping: try DescriptorLimit.raise().soft)
    let count = max(200, min(2000, limit / 3 - 100))
    var kept: [Shared<OwnedDescriptor>] = []
    kept.reserveCapacity(3 * count)
    // Earlier experiments left free room in the slabs, which is used first.
    for _ in 0..<max(0, min(12_000, limit - 3 * count - 300)) { kept.append(Shared(try EventFD().release())) }
    let start = try slab()
    for _ in 0..<count { kept.append(Shared(try EventFD(count: 1).release())) }
    let middle = try slab()
    for _ in 0..<count {
        for number in try Pipe.withByte().release() { kept.append(Shared(owned(number))) }
    }
    let end = try slab()
    return ((middle - start) / count, (end - middle) / count)
}

private func slab() throws -> Int {
    let bytes = MemoryUse.read().slabBytes
    guard bytes > 0 else { throw Unobservable("/proc/meminfo names no Slab") }
    return Int(bytes)
}
