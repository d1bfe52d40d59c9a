import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// Both ends of a pipe (`pipe2(2)`), nonblocking.
struct Pipe: ~Copyable {
    let readEnd: OwnedDescriptor
    let writeEnd: OwnedDescriptor

    init() throws(Errno) {
        let numbers = try unsafe descriptorPair { unsafe pipe2($0, O_CLOEXEC | O_NONBLOCK) }
        readEnd = owned(numbers[0])
        writeEnd = owned(numbers[1])
    }

    /// Puts a byte in.
    func writeByte() throws(Errno) {
        var byte: UInt8 = 1
        let number = writeEnd.descriptor.rawValue
        _ = try systemCall { unsafe write(number, &byte, 1) }
    }

    /// Closes both ends. Without it, they would be closed after their last use.
    consuming func end() {}
}

/// Runs a call that makes two descriptors, which the caller then owns.
func descriptorPair(_ make: (UnsafeMutablePointer<CInt>) -> CInt) throws(Errno) -> [CInt] {
    var numbers: [CInt] = [0, 0]
    _ = try systemCall { unsafe numbers.withUnsafeMutableBufferPointer { unsafe make($0.baseAddress!) } }
    return numbers
}

func owned(_ number: CInt) -> OwnedDescriptor { OwnedDescriptor(owning: FileDescriptor(rawValue: number)) }

/// Moves a descriptor to a number, over whatever is open there (`dup2(2)`).
func move(_ descriptor: consuming OwnedDescriptor, to number: CInt) throws(Errno) -> OwnedDescriptor {
    if descriptor.descriptor.rawValue == number { return descriptor }
    let source = descriptor.descriptor.rawValue
    _ = try systemCall { dup2(source, number) }
    return owned(number)
}

extension Epoll {
    /// How many of so many waits report at least one event, of a given token if one is given.
    func eventfulWaits(of waits: Int = 10, token: UInt64? = nil) throws(Errno) -> Int {
        let events = EpollEventBuffer(capacity: 8)
        var eventful = 0
        for _ in 0..<waits {
            let count = try wait(into: events, timeout: .milliseconds(5))
            if Self.holds(events, count, token) { eventful += 1 }
        }
        return eventful
    }

    private static func holds(_ events: borrowing EpollEventBuffer, _ count: Int, _ token: UInt64?) -> Bool {
        for index in 0..<count where token == nil || events[index].token == token { return true }
        return false
    }
}
