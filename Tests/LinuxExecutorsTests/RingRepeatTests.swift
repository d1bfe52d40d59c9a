import Glibc
import LinuxDescriptors
import LinuxRings
import SystemPackage
import TestSupport
import Testing

@testable import LinuxExecutors

/// What a ring's thread has to ask the kernel for more than once.
@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingRepeatTests {
    /// A cancellation that comes while the kernel has its request nowhere finds nothing.
    @Test func aCancellationThatFoundNothingIsRepeated() throws {
        try Kind.ring.with { executor in
            let pipe = Shared(try TestSupport.Pipe())
            let loop = try #require(executor.core.loop as? RingLoop)
            let result = try onExecutor(executor) {
                await unsafe withUnsafeContinuation { continuation in
                    let name = unsafe begin(loop, continuation)
                    loop.cancel(name)
                    loop.visitKernel(waiting: false)
                    try? loop.prepare(waitForInput(pipe.value.reader), name)
                }
            }
            #expect(result == -ECANCELED)
        }
    }

    /// A request that found no room in the queue is asked for at the next visit.
    @Test func aRequestWithoutRoomIsKept() throws {
        try Kind.ring.with { executor in
            let pipe = Shared(try TestSupport.Pipe())
            let loop = try #require(executor.core.loop as? RingLoop)
            let waiting = start(on: executor) {
                await unsafe withUnsafeContinuation { continuation in
                    let name = unsafe begin(loop, continuation)
                    loop.keep(waitForInput(pipe.value.reader), name)
                }
            }
            try settle(executor)
            try pipe.value.write()
            #expect(try waiting.wait() > 0)
        }
    }

    @Test func aRequestWithoutRoomCanBeCancelled() throws {
        try Kind.ring.with { executor in
            let pipe = Shared(try TestSupport.Pipe())
            let loop = try #require(executor.core.loop as? RingLoop)
            let result = try onExecutor(executor) {
                await unsafe withUnsafeContinuation { continuation in
                    let name = unsafe begin(loop, continuation)
                    loop.keep(waitForInput(pipe.value.reader), name)
                    loop.cancel(name)
                }
            }
            #expect(result == -ECANCELED)
        }
    }

    /// The end of an executor whose ring was closed behind its back is an end.
    @Test func aRingThatIsGoneEnds() async {
        await #expect(processExitsWith: .success) {
            try endWithoutRing()
            // Not by exit: what is left to the kernel for good is a leak to LeakSanitizer.
            _exit(0)
        }
    }
}

@unsafe private func begin(_ loop: RingLoop, _ continuation: UnsafeContinuation<Int32, Never>) -> UInt64 {
    let name = unsafe loop.operations.pointee.begin(.request)
    _ = unsafe loop.operations.pointee.suspend(name, continuation)
    return name
}

private func waitForInput(_ descriptor: BorrowedDescriptor) -> Request {
    Request(.awaitReadable, descriptor, .next(drainsWhenShort: false))
}

/// The number of the only ring of the process.
private func ringDescriptor() -> CInt? {
    var target = [CChar](repeating: 0, count: 64)
    return (3..<64).first { number in
        let count = unsafe readlink("/proc/self/fd/\(number)", &target, 63)
        return count > 0
            && String(decoding: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
                == "anon_inode:[io_uring]"
    }
}

private func endWithoutRing() throws {
    let executor = try RingExecutor()
    guard let number = ringDescriptor() else { return try demand(false, "no ring") }
    try onExecutor(executor) {
        close(number)
        executor.beginShutdown()
    }
    try demand(executor.shutdownAndWait(within: patience), "the thread goes on for ever")
}
