import Glibc
import LinuxDescriptors
import LinuxRings
import SystemPackage
import TestSupport
import Testing

/// What is in the ring, what is pending, and how a part of it is ended.
@Suite(.enabled(if: multishotAvailable, whyNoRings)) struct DescriptorRingPendingTests {
    @Test func tokensCanBeListed() throws {
        let ring = try TestRing()
        #expect(ring.base.tokens == [])
        let pairs = try (0..<3).map { _ in try SocketPair() }
        let tokens = try pairs.map { try ring.base.insert($0.takeFirst()) }
        #expect(ring.base.tokens == tokens && ring.base.count == 3)
        try ring.base.close(tokens[1])
        #expect(ring.base.tokens == [tokens[0], tokens[2]])
        let pair = try SocketPair()
        let again = try ring.base.insert(pair.takeFirst())
        #expect(ring.base.tokens == [tokens[0], again, tokens[2]])
        #expect(ring.base.pendingOperations(on: tokens[1]) == [])
        let other = try TestRing()
        #expect(other.base.pendingOperations(on: again) == [])
    }

    @Test func whatIsPendingCanBeListed() throws {
        let scene = try Scene()
        #expect(scene.ring.base.pendingOperations(on: scene.token) == [.poll, .receive, .receive, .poll])
        try scene.writeMoreThanIsReceived()
        _ = try scene.ring.events(4)
        #expect(scene.ring.base.pendingOperations(on: scene.token) == [])
        try scene.ring.base.prepareReceive(scene.token, into: RequestBuffer(capacity: 8))
        #expect(scene.ring.base.pendingOperations(on: scene.token) == [.receive])
        try scene.ring.base.close(scene.token)
        #expect(scene.ring.base.pendingOperations(on: scene.token) == [])
    }

    @Test func oneRequestIsCancelledAndNoOther() throws {
        let scene = try Scene()
        let target = scene.requests[2]
        #expect(try !scene.ring.base.wait(timeout: .nanoseconds(1)))
        #expect(scene.ring.isPending(target))
        try scene.ring.base.cancel(target)
        let event = try scene.ring.awaited()
        let (error, operation, name) = (event.error, event.operation, event.token)
        #expect(error == .canceled && operation == .receive && name == scene.token)
        let buffer = event.takeBuffer()
        #expect(buffer.contents == [])
        #expect(scene.ring.next() == nil && !scene.ring.isPending(target))
        #expect(scene.ring.base.pendingOperations(on: scene.token) == [.poll, .receive, .poll])
        #expect(throws: Errno.noSuchFileOrDirectory) { try scene.ring.base.cancel(target) }
        try scene.writeMoreThanIsReceived()
        #expect(try scene.ring.events(3).allSatisfy { $0.error == nil })
    }

    @Test func oneKindIsCancelledAndNoOther() throws {
        let scene = try Scene()
        let other = try SocketPair()
        let quiet = try scene.ring.base.insert(other.takeFirst())
        try scene.ring.base.prepareReceive(quiet, into: RequestBuffer(capacity: 8))
        try scene.ring.base.cancel(.receive, on: scene.token)
        let events = try scene.ring.events(2)
        #expect(events.allSatisfy { $0.error == .canceled && $0.operation == .receive && $0.token == scene.token })
        #expect(scene.ring.base.pendingOperations(on: scene.token) == [.poll, .poll])
        #expect(scene.ring.base.pendingOperations(on: quiet) == [.receive])
        try scene.ring.base.cancel(.send, on: scene.token)
        #expect(scene.ring.next() == nil)
    }

    /// A request that was queued and not handed over is cancelled, too.
    @Test func whatIsQueuedIsCancelled() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let receive = try ring.base.prepareReceive(token, into: RequestBuffer(capacity: 8))
        try ring.base.cancel(receive)
        #expect(ring.next()?.error == .canceled)
    }

    @Test func aRequestThatCompletedMeanwhileKeepsItsEvent() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let receive = try ring.base.prepareReceive(token, into: RequestBuffer(capacity: 8))
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        #expect(write(ends.second, "x", 1) == 1)
        try ring.base.cancel(receive)
        let buffer = try ring.awaited().takeBuffer()
        #expect(buffer.contents == Array("x".utf8))
        #expect(throws: Errno.noSuchFileOrDirectory) { try ring.base.cancel(receive) }
    }

    @Test func requestsOfOthersAreUnknown() throws {
        let scene = try Scene()
        let other = try TestRing()
        #expect(!other.isPending(scene.requests[0]))
        #expect(throws: Errno.noSuchFileOrDirectory) { try other.base.cancel(scene.requests[0]) }
        #expect(throws: Errno.noSuchFileOrDirectory) { try other.base.cancel(.poll, on: scene.token) }
        #expect(scene.ring.isPending(scene.requests[0]))
    }

    @Test func aChildCancelsNothing() async {
        await #expect(processExitsWith: .success) {
            let scene = try Scene()
            try scene.ring.base.submit()
            let child = forkProcess()
            if child == 0 {
                let refusals = [
                    failure { () throws(Errno) in try scene.ring.base.cancel(scene.requests[0]) },
                    failure { () throws(Errno) in try scene.ring.base.cancel(.poll, on: scene.token) },
                    failure { () throws(Errno) in try scene.ring.base.submit() },
                    failure { () throws(Errno) in
                        try scene.ring.base.updatePoll(scene.requests[0], to: .writable)
                    },
                    failure { () throws(Errno) in
                        var chain = RequestChain()
                        chain.poll(scene.token, .readable)
                        try scene.ring.base.prepare(chain)
                    },
                    failure { () throws(Errno) in try scene.ring.base.makeSlots(count: 1) },
                    failure { () throws(Errno) in try scene.ring.base.insert(lent: .standardError) },
                ]
                _exit(refusals.allSatisfy { $0 == .staleNFSFileHandle } ? 0 : 1)
            }
            var status: CInt = 0
            while waitpid(child, &status, 0) < 0 && errno == EINTR {}
            precondition(status == 0)
            precondition(scene.ring.base.pendingOperations(on: scene.token).count == 4)
            try scene.writeMoreThanIsReceived()
            _ = try scene.ring.events(4)
        }
    }
}

extension TestRing {
    func isPending(_ request: RingRequest) -> Bool { base.isPending(request) }
}

/// Two polls and two receives that wait on one socket.
private final class Scene {
    let ring: TestRing
    let ends: SocketPair
    let token: RingToken
    let requests: [RingRequest]

    init() throws {
        ring = try TestRing()
        ends = try SocketPair()
        token = try ring.base.insert(ends.takeFirst())
        requests = [
            try ring.base.preparePoll(token, .readable),
            try ring.base.prepareReceive(token, into: RequestBuffer(capacity: 8)),
            try ring.base.prepareReceive(token, into: RequestBuffer(capacity: 8)),
            try ring.base.preparePoll(token, .readable),
        ]
    }

    /// Completes all of them: the polls find something to read after the receives, too.
    func writeMoreThanIsReceived() throws {
        guard write(ends.second, [UInt8](repeating: 1, count: 40), 40) == 40 else { throw Errno(rawValue: errno) }
    }
}
