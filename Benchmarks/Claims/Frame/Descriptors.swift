import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// Both ends of a pipe (`pipe2(2)`), nonblocking.
struct Pipe: Scene, ~Copyable {
    let readEnd: OwnedDescriptor
    let writeEnd: OwnedDescriptor

    init() throws(Errno) {
        let numbers = try unsafe descriptorPair { unsafe pipe2($0, O_CLOEXEC | O_NONBLOCK) }
        readEnd = owned(numbers[0])
        writeEnd = owned(numbers[1])
    }

    static func withByte() throws(Errno) -> Pipe {
        let pipe = try Pipe()
        try pipe.writeByte()
        return pipe
    }

    func writeByte() throws(Errno) {
        var byte: UInt8 = 1
        let number = writeEnd.descriptor.rawValue
        _ = try systemCall { unsafe write(number, &byte, 1) }
    }

    consuming func closeReadEnd() throws(Errno) -> OwnedDescriptor {
        try readEnd.close()
        return writeEnd
    }

    consuming func release() -> [CInt] { [readEnd.release().rawValue, writeEnd.release().rawValue] }
}

/// Two stream sockets of this machine, each the other's peer (`socketpair(2)`), blocking.
struct SocketPair: Scene, ~Copyable {
    let near: OwnedDescriptor
    let far: OwnedDescriptor

    init() throws(Errno) {
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let numbers = try unsafe descriptorPair { unsafe socketpair(AF_UNIX, type, 0, $0) }
        near = owned(numbers[0])
        far = owned(numbers[1])
    }

    /// Writes one byte to the far end.
    func writeByte() throws(Errno) {
        var byte: UInt8 = 1
        let number = far.descriptor.rawValue
        _ = try systemCall { unsafe write(number, &byte, 1) }
    }

    consuming func release() -> [CInt] { [near.release().rawValue, far.release().rawValue] }
}

/// Runs a call that makes two descriptors, which the caller then owns.
func descriptorPair(_ make: (UnsafeMutablePointer<CInt>) -> CInt) throws(Errno) -> [CInt] {
    var numbers: [CInt] = [0, 0]
    _ = try systemCall { unsafe numbers.withUnsafeMutableBufferPointer { unsafe make($0.baseAddress!) } }
    return numbers
}

func owned(_ number: CInt) -> OwnedDescriptor { OwnedDescriptor(owning: FileDescriptor(rawValue: number)) }

/// Moves a descriptor to a number, over whatever is open there.
func move(_ descriptor: consuming OwnedDescriptor, to number: CInt) throws(Errno) -> OwnedDescriptor {
    if descriptor.descriptor.rawValue == number { return descriptor }
    try duplicate(descriptor.descriptor, onto: number)
    return owned(number)
}

/// Duplicates a descriptor onto a number that is open (`dup2(2)`).
func duplicate(_ descriptor: BorrowedDescriptor, onto number: CInt) throws(Errno) {
    _ = try systemCall { dup2(descriptor.rawValue, number) }
}

/// Waits until a descriptor is ready (`poll(2)`); false if it is not within a time.
func awaitReadiness(
    of descriptor: BorrowedDescriptor, _ events: CInt, nanoseconds: UInt64 = Patience.limitNanoseconds
) throws(Errno) -> Bool {
    var entry = pollfd(fd: descriptor.rawValue, events: Int16(events), revents: 0)
    return try systemCall { unsafe poll(&entry, 1, CInt(nanoseconds / 1_000_000)) } > 0
}

/// What `poll(2)` reports at once, as names joined by `+`; `none` for nothing.
func polled(_ descriptor: BorrowedDescriptor, _ events: CInt) -> String {
    var entry = pollfd(fd: descriptor.rawValue, events: Int16(events), revents: 0)
    _ = unsafe poll(&entry, 1, 0)
    let names: [(CInt, String)] = [
        (POLLIN, "POLLIN"), (POLLPRI, "POLLPRI"), (POLLOUT, "POLLOUT"), (POLLERR, "POLLERR"), (POLLHUP, "POLLHUP"),
        (POLLNVAL, "POLLNVAL"),
    ]
    let set = names.filter { CInt(entry.revents) & $0.0 != 0 }.map(\.1)
    return set.isEmpty ? "none" : set.joined(separator: "+")
}

extension Epoll {
    /// How many of `waits` waits report at least one event, with a given token if one is given.
    func eventfulWaits(of waits: Int = 10, token: UInt64? = nil) throws(Errno) -> Int {
        let events = EpollEventBuffer(capacity: 8)
        var eventful = 0
        for _ in 0..<waits {
            let count = try wait(into: events, timeout: .milliseconds(5))
            if (0..<count).contains(where: { token == nil || events[$0].token == token }) { eventful += 1 }
        }
        return eventful
    }
}
