import CBenchExtras
import Glibc
import SystemPackage

/// The `fd_set` of `select(2)` and what is in it.
struct SelectSet: SpinningSet, ~Copyable {
    private var watched = fd_set()
    private var ready = fd_set()
    private(set) var descriptors: [CInt] = []
    private var highest: CInt = 0
    let firstConnection: Int

    /// Descriptors from here on do not fit an `fd_set`.
    static let limit = CInt(FD_SETSIZE)

    /// - Throws: `EMFILE` for a descriptor that does not fit.
    init(stop: CInt, listeners: [CInt], connections: [CInt]) throws(Errno) {
        firstConnection = 1 + listeners.count
        descriptors.reserveCapacity(Int(Self.limit))
        for fd in [stop] + listeners + connections { try add(fd) }
    }

    /// - Throws: `EMFILE` for a descriptor that does not fit.
    mutating func add(_ fd: CInt) throws(Errno) {
        guard fd < Self.limit else { throw .tooManyOpenFiles }
        Self.setBit(fd, true, &watched)
        descriptors.append(fd)
        highest = max(highest, fd)
    }

    /// Takes the place of the descriptor with the last one.
    mutating func remove(at index: Int) {
        Self.setBit(descriptors[index], false, &watched)
        descriptors.swapAt(index, descriptors.count - 1)
        descriptors.removeLast()
    }

    mutating func look() -> Bool {
        ready = watched
        var none = timeval()
        return unsafe select(highest + 1, &ready, nil, nil, &none) > 0
    }

    /// Waits until something is ready, or for a time (`select(2)`); a signal ends it too.
    mutating func wait(upToMicroseconds time: UInt64) throws(Errno) {
        ready = watched
        var limit = timeval(tv_sec: Int(time / 1_000_000), tv_usec: Int(time % 1_000_000))
        let result = unsafe select(highest + 1, &ready, nil, nil, &limit)
        if result < 0 && errno != EINTR { throw Errno(rawValue: errno) }
    }

    /// Waits until something is ready (`select(2)`).
    mutating func wait() throws(Errno) {
        while true {
            ready = watched
            if unsafe select(highest + 1, &ready, nil, nil, nil) > 0 { return }
            if errno != EINTR { throw Errno(rawValue: errno) }
        }
    }

    /// True if the wait found this descriptor ready (`FD_ISSET`, a macro).
    func isReady(_ fd: CInt) -> Bool {
        unsafe withUnsafeBytes(of: ready) { unsafe $0[Int(fd) / 8] & (1 << UInt8(fd % 8)) != 0 }
    }

    private static func setBit(_ fd: CInt, _ value: Bool, _ set: inout fd_set) {
        let bit = UInt8(1) << UInt8(fd % 8)
        unsafe withUnsafeMutableBytes(of: &set) {
            if value { unsafe $0[Int(fd) / 8] |= bit } else { unsafe $0[Int(fd) / 8] &= ~bit }
        }
    }
}
