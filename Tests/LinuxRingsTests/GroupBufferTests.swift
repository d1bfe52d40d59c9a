import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@testable import LinuxRings

/// What is done with a buffer of a group once it is somebody's.
@Suite(.enabled(if: multishotReceiveAvailable, whyNoRings)) struct GroupBufferTests {
    enum Kind: CaseIterable {
        case plain, forThisThread

        func make() throws(Errno) -> Ring {
            switch self {
            case .plain: try Ring(entries: 8)
            case .forThisThread: try Ring.forThisThread(entries: 8)
            }
        }
    }

    @Test func somethingCanBePutInFront() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let buffers = try ring.base.addBuffers(count: 2, bytes: 8, headroom: 5)
        try ring.base.prepareReceive(token, from: buffers)
        for _ in 0..<6 {
            #expect(write(ends.second, "abcdefgh", 8) == 8)
            let event = try ring.awaited()
            var buffer = event.takeGroupBuffer()
            let headroom = buffer.headroom
            #expect(headroom == 5)
            buffer.removeFirst(2)
            buffer.removeLast(1)
            buffer.prepend(Array("1234567".utf8).span.bytes)
            var bytes = buffer.mutableBytes
            bytes.storeBytes(of: UInt8(ascii: "!"), toByteOffset: 0, as: UInt8.self)
            #expect(buffer.contents == Array("!234567cdefg".utf8))
            try ring.base.prepareSend(token, from: buffer)
            let sent = try ring.awaited()
            let (operation, result) = (sent.operation, sent.result)
            #expect(operation == .send && result == 12)
            let empty = sent.takeGroupBuffer()
            let isEmpty = empty.isEmpty
            #expect(isEmpty)
            empty.recycle()
            var echoed = [UInt8](repeating: 0, count: 20)
            #expect(read(ends.second, &echoed, 20) == 12)
            #expect(Array(echoed.prefix(12)) == Array("!234567cdefg".utf8))
        }
        #expect(try ring.base.freeBuffers(of: buffers) == 2)
    }

    @Test func whatDoesNotFitEndsTheProgram() async {
        await #expect(processExitsWith: .failure) {
            var buffer = try oneBuffer(headroom: 1)
            buffer.prepend(([1, 2] as [UInt8]).span.bytes)
        }
        await #expect(processExitsWith: .failure) {
            var buffer = try oneBuffer(headroom: 1)
            buffer.removeFirst(2)
        }
        await #expect(processExitsWith: .failure) {
            var buffer = try oneBuffer(headroom: 1)
            buffer.removeLast(-1)
        }
    }

    /// Buffers of the two kinds are not taken for each other.
    @Test func anEventHasOneKindOfBuffer() async {
        await #expect(processExitsWith: .failure) {
            let scene = try GroupScene()
            _ = try scene.ring.awaited().takeBuffer()
        }
        await #expect(processExitsWith: .failure) {
            let ring = try TestRing()
            let ends = try SocketPair()
            let token = try ring.base.insert(ends.takeFirst())
            try ring.base.prepareReceive(token, into: RequestBuffer(capacity: 8))
            _ = write(ends.second, "x", 1)
            _ = try ring.awaited().takeGroupBuffer()
        }
        await #expect(processExitsWith: .failure) {
            let scene = try GroupScene()
            let held = Held(try scene.ring.awaited().takeGroupBuffer())
            _ = write(scene.ends.second, "x", 1)
            // It has failed, and brings none.
            _ = try scene.ring.awaited().takeGroupBuffer()
            held.buffer = nil
        }
    }

    /// The sanitizers see whether the memory ends too early, or never.
    @Test(arguments: Kind.allCases) func aBufferMayOutliveTheRing(kind: Kind) throws {
        let ends = try SocketPair()
        var ring: TestRing? = TestRing(try kind.make())
        let token = try ring!.base.insert(ends.takeFirst())
        let buffers = try ring!.base.addBuffers(count: 2, bytes: 8)
        try ring!.base.prepareReceive(token, from: buffers)
        #expect(write(ends.second, "x", 1) == 1)
        let one = Held(try ring!.awaited().takeGroupBuffer())
        #expect(write(ends.second, "y", 1) == 1)
        let two = Held(try ring!.awaited().takeGroupBuffer())
        ring = nil
        #expect(one.contents + two.contents == Array("xy".utf8))
        one.buffer = nil
        #expect(two.contents == Array("y".utf8))
    }

    enum State: CaseIterable { case queued, pending, completed, kept, sending }

    /// Requests in all states: nothing hangs, and nothing is freed twice.
    @Test(arguments: Kind.allCases, State.allCases) func theRingEndsInAnyState(kind: Kind, state: State) throws {
        let ends = try SocketPair()
        let ring = TestRing(try kind.make())
        let token = try ring.base.insert(ends.takeFirst())
        let buffers = try ring.base.addBuffers(count: 2, bytes: 8)
        try ring.base.prepareReceive(token, from: buffers)
        if state == .queued { return }
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        if state == .pending { return }
        #expect(write(ends.second, "x", 1) == 1)
        if state == .completed { return }
        if state == .kept { return try ring.base.drain(token) }
        // A socket whose buffer is full keeps the send waiting.
        let buffer = try ring.awaited().takeGroupBuffer()
        let bytes = [UInt8](repeating: 0, count: 1 << 16)
        while try ring.base.send(bytes.span.bytes, to: token) != nil {}
        try ring.base.prepareSend(token, from: buffer)
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        #expect(ring.base.pendingOperations(on: token) == [.receive, .send])
        #expect(try ring.base.freeBuffers(of: buffers) == 1)
    }

    /// A send that is cancelled gives its buffer back, with all that it held.
    @Test func aCancelledSendKeepsItsBytes() throws {
        let scene = try GroupScene()
        let buffer = try scene.ring.awaited().takeGroupBuffer()
        let bytes = [UInt8](repeating: 0, count: 1 << 16)
        while try scene.ring.base.send(bytes.span.bytes, to: scene.token) != nil {}
        let send = try scene.ring.base.prepareSend(scene.token, from: buffer)
        #expect(try !scene.ring.base.wait(timeout: .nanoseconds(1)))
        try scene.ring.base.cancel(send)
        let event = try scene.ring.awaited()
        let (error, operation) = (event.error, event.operation)
        #expect(error == .canceled && operation == .send)
        let back = event.takeGroupBuffer()
        #expect(back.contents == Array("x".utf8))
        back.recycle()
        #expect(try scene.ring.base.freeBuffers(of: scene.buffers) == 1)
    }

    /// A refused request gives the buffer back.
    @Test func aRefusedSendGivesTheBufferBack() throws {
        let scene = try GroupScene()
        let buffer = try scene.ring.awaited().takeGroupBuffer()
        try scene.ring.base.close(scene.token)
        let held = Held(buffer)
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try scene.ring.base.prepareSend(scene.token, from: held.buffer.take()!)
        }
        #expect(try scene.ring.base.freeBuffers(of: scene.buffers) == 1)
    }

    /// What a child gives back, its parent's kernel does not get.
    @Test func aChildGivesNothingBackToItsParentsRing() async {
        await #expect(processExitsWith: .success) {
            let scene = try GroupScene()
            let held = Held(try scene.ring.awaited().takeGroupBuffer())
            let child = forkProcess()
            if child == 0 {
                guard held.contents == Array("x".utf8) else { _exit(1) }
                held.buffer = nil
                let isRefused =
                    failure { () throws(Errno) in
                        try scene.ring.base.addBuffers(count: 1, bytes: 1)
                    } == .staleNFSFileHandle
                _exit(isRefused && scene.ring.next() == nil ? 0 : 2)
            }
            var status: CInt = 0
            while waitpid(child, &status, 0) < 0 && errno == EINTR {}
            precondition(status == 0)
            precondition(write(scene.ends.second, "y", 1) == 1)
            let ending = SeenEvent(try scene.ring.awaited())
            precondition(ending.error == .noBufferSpace, "the child gave the buffer back")
            held.buffer = nil
            try scene.ring.base.prepareReceive(scene.token, from: scene.buffers)
            let next = try scene.ring.awaited().takeGroupBuffer()
            precondition(next.contents == Array("y".utf8))
        }
    }

    @Test func aKernelWithoutThemIsNamed() throws {
        let ring = try TestRing()
        ring.base.operations = []
        #expect(throws: Errno.notSupported) { try ring.base.addBuffers(count: 1, bytes: 1) }
        // Linux 5.19: groups, and no receive that completes many times.
        let socket = UInt8(45)
        ring.base.operations = [socket]
        let buffers = try ring.base.addBuffers(count: 1, bytes: 1)
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        #expect(throws: Errno.notSupported) { try ring.base.prepareReceive(token, from: buffers) }
        try ring.base.prepareReceive(token, from: buffers, multishot: false)
    }
}

/// A receive from a group of one buffer, which has completed with an x.
private final class GroupScene {
    let ring: TestRing
    let ends: SocketPair
    let token: RingToken
    let buffers: RingBuffers

    init(headroom: Int = 0) throws {
        ring = try TestRing()
        ends = try SocketPair()
        token = try ring.base.insert(ends.takeFirst())
        buffers = try ring.base.addBuffers(count: 1, bytes: 8, headroom: headroom)
        try ring.base.prepareReceive(token, from: buffers)
        try ring.base.submit()
        _ = write(ends.second, "x", 1)
    }
}

private func oneBuffer(headroom: Int) throws -> GroupBuffer {
    try GroupScene(headroom: headroom).ring.awaited().takeGroupBuffer()
}
