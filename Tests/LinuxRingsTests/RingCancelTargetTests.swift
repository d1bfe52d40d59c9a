import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Cancellation by file, by slot, and of everything.
@Suite(.enabled(if: canDo(\.cancelByFile), whyNot)) struct RingCancelTargetTests {
    @Test func oneOfAToken() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        for _ in 0..<3 { try ring.preparePoll(pipe.reader, .readable, token: 1) }
        try ring.submit()
        try ring.prepareCancel(.token(1), token: 9)
        let seen = try ring.completions(2)
        #expect(seen.contains { $0.token == 9 && $0.result == 0 })
        #expect(seen.contains { $0.token == 1 && $0.error == .canceled })
        try pipe.write()
        #expect(try ring.completions(2).allSatisfy { $0.token == 1 && $0.error == nil })
    }

    @Test func allOfAToken() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        for _ in 0..<3 { try ring.preparePoll(pipe.reader, .readable, token: 1) }
        try ring.preparePoll(pipe.reader, .readable, token: 2)
        try ring.submit()
        try ring.prepareCancel(.token(1), all: true, token: 9)
        let seen = try ring.completions(4)
        #expect(seen.contains { $0.token == 9 && $0.result == 3 })
        #expect(seen.filter { $0.token == 1 && $0.error == .canceled }.count == 3)
        try pipe.write()
        #expect(try ring.completion().token == 2)
    }

    /// The open file is meant, by whatever number.
    @Test(arguments: [false, true]) func ofAFile(_ all: Bool) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        let other = try Pipe()
        let copy = try pipe.reader.duplicate()
        try ring.preparePoll(pipe.reader, .readable, token: 1)
        try ring.preparePoll(copy.descriptor, .readable, token: 2)
        try ring.preparePoll(other.reader, .readable, token: 3)
        try ring.submit()
        try ring.prepareCancel(.file(.descriptor(copy.descriptor)), all: all, token: 9)
        let seen = try ring.completions(all ? 3 : 2)
        #expect(seen.contains { $0.token == 9 && $0.result == (all ? 2 : 0) })
        #expect(seen.filter { $0.error == .canceled && $0.token < 3 }.count == (all ? 2 : 1))
        try other.write()
        #expect(try ring.completion().token == 3)
    }

    @Test(.enabled(if: canDo(\.immediateCancel), whyNot)) func ofASlot() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 2)
        let pair = try Pair()
        try ring.registerFile(pair.server.descriptor, slot: Slot(1))
        let group = BufferGroup(identifier: 1, count: 2, bytes: 64)
        try ring.register(group)
        try ring.prepareReceive(.slot(Slot(1)), from: 1, token: 1)
        try ring.prepareReceive(.descriptor(pair.server.descriptor), from: 1, token: 2)
        try ring.submit()
        try ring.prepareCancel(.file(.slot(Slot(1))), all: true, token: 9)
        let seen = try ring.completions(3)
        #expect(seen.contains { $0.token == 9 && $0.result == 2 })
        #expect(seen.filter { $0.error == .canceled }.count == 2)
        for slot in [Slot(0), Slot(2), Slot(.max)] {
            try ring.prepareCancel(.file(.slot(slot)), token: 9)
            #expect(try ring.completion().error == .badFileDescriptor)
        }
    }

    @Test(arguments: [false, true]) func ofEverything(_ all: Bool) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        let listener = try loopbackListener()
        try ring.preparePoll(pipe.reader, .readable, token: 1)
        try ring.prepareMultishotAccept(on: listener.descriptor, token: 2)
        try ring.prepareTimeout(.after(.seconds(3600)), token: 3)
        try ring.submit()
        try ring.prepareCancel(.everything, all: all, token: 9)
        let seen = try ring.completions(4)
        #expect(seen.contains { $0.token == 9 && $0.result == 3 })
        #expect(Set(seen.filter { $0.error == .canceled }.map(\.token)) == [1, 2, 3])
        try ring.prepareCancel(.everything, token: 9)
        #expect(try ring.completion().result == 0)
    }

    @Test func whatIsNotThere() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        try ring.prepareTimeout(.after(.seconds(3600)), token: 1)
        try ring.submit()
        let none = RequestFile.descriptor(BorrowedDescriptor(rawValue: -1))
        let expected: [(CancelTarget, Bool, Int32)] = [
            (.token(7), false, -2), (.token(7), true, 0), (.file(.descriptor(pipe.reader)), false, -2),
            (.file(.descriptor(pipe.reader)), true, 0), (.file(none), false, -9), (.file(none), true, -9),
        ]
        for (target, all, result) in expected {
            try ring.prepareCancel(target, all: all, token: 9)
            #expect(try ring.completion().result == result)
        }
    }
}

/// Cancellation without a submission.
@Suite(.enabled(if: canDo(\.immediateCancel), whyNot)) struct RingImmediateCancelTests {
    @Test func ofAToken() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        for _ in 0..<3 { try ring.preparePoll(pipe.reader, .readable, token: 1) }
        try ring.submit()
        let submitted = ring.submitted
        #expect(try ring.cancel(.token(1)) == 1)
        #expect(try ring.completion().error == .canceled)
        #expect(try ring.cancel(.token(1), all: true, timeout: .seconds(10)) == 2)
        #expect(try ring.completions(2).allSatisfy { $0.error == .canceled })
        #expect(ring.submitted == submitted)
        #expect(throws: Errno.noSuchFileOrDirectory) { try ring.cancel(.token(1)) }
        #expect(try ring.cancel(.token(1), all: true) == 0)
    }

    @Test func ofAFileOrASlot() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 2)
        let pair = try Pair()
        try ring.registerFile(pair.server.descriptor, slot: Slot(0))
        let file = RequestFile.descriptor(pair.server.descriptor)
        for target in [CancelTarget.file(file), .file(.slot(Slot(0)))] {
            try ring.preparePoll(pair.server.descriptor, .readable, token: 1)
            try ring.preparePoll(pair.server.descriptor, .readable, token: 2)
            try ring.submit()
            #expect(try ring.cancel(target, all: true) == 2)
            #expect(try ring.completions(2).allSatisfy { $0.error == .canceled })
        }
        #expect(throws: Errno.badFileDescriptor) { try ring.cancel(.file(.slot(Slot(1)))) }
        #expect(throws: Errno.badFileDescriptor) {
            try ring.cancel(.file(.descriptor(BorrowedDescriptor(rawValue: -1))))
        }
    }

    @Test func ofEverything() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        try ring.preparePoll(pipe.reader, .readable, token: 1)
        try ring.prepareTimeout(.after(.seconds(3600)), token: 2)
        try ring.submit()
        #expect(try ring.cancel(.everything) == 2)
        #expect(try ring.errors(2) == [1: .canceled, 2: .canceled])
        #expect(try ring.cancel(.everything) == 0)
    }

    /// What was queued and not handed over is not pending.
    @Test func notOfWhatIsQueued() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let ready = try Ready()
        try ring.preparePoll(ready.descriptor, .readable, token: 1)
        #expect(throws: Errno.noSuchFileOrDirectory) { try ring.cancel(.token(1)) }
        #expect(try ring.completion().error == nil)
    }
}
