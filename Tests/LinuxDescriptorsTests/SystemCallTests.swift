import Glibc
import LinuxDescriptors
import SystemPackage
import Testing

@Suite struct SystemCallTests {
    @Test func resultComesThrough() throws {
        #expect(try systemCall { CInt(0) } == 0)
        #expect(try systemCall { 42 } == 42)
        #expect(try nonblockingSystemCall { 42 } == 42)
    }

    @Test func otherNegativeResultsAreResults() throws {
        #expect(try systemCall { CInt(-2) } == -2)
    }

    @Test func signalRepeatsTheCall() throws {
        var calls = 0
        let result = try systemCall { failing(EINTR, until: 3, &calls) }
        #expect(result == 7)
        #expect(calls == 3)
        calls = 0
        #expect(try nonblockingSystemCall { failing(EINTR, until: 3, &calls) } == 7)
        #expect(calls == 3)
    }

    @Test func errorIsThrownAfterOneCall() {
        var calls = 0
        #expect(throws: Errno.noSuchFileOrDirectory) { try systemCall { failing(ENOENT, until: 3, &calls) } }
        #expect(calls == 1)
        #expect(throws: Errno.badFileDescriptor) { try nonblockingSystemCall { failing(EBADF, until: 3, &calls) } }
        #expect(calls == 2)
    }

    @Test func onlyTheNonblockingFormTakesEAGAINForAnAnswer() throws {
        var calls = 0
        #expect(try nonblockingSystemCall { failing(EAGAIN, until: 3, &calls) } == nil)
        #expect(calls == 1)
        #expect(throws: Errno.wouldBlock) { try systemCall { failing(EAGAIN, until: 3, &calls) } }
    }
}

/// A system call that fails until it is called for the `last` time.
private func failing(_ error: CInt, until last: Int, _ calls: inout Int) -> CInt {
    calls += 1
    if calls == last { return 7 }
    errno = error
    return -1
}
