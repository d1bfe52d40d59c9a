import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Requests that start one after the other, and what becomes of the rest when one fails.
@Suite(.enabled(if: multishotAvailable, whyNoRings)) struct RequestChainTests {
    @Test func whatIsLeftIsSentBeforeTheClose() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        var chain = RequestChain()
        chain.send(filled([1, 2]), to: token)
        chain.send(filled([3]), to: token)
        chain.close(token)
        try ring.base.prepare(chain)
        let events = try ring.events(3)
        #expect(events.map(\.operation) == [.send, .send, .close] && events.map(\.result) == [2, 1, 0])
        #expect(events.allSatisfy { $0.token == token && !$0.isArmed })
        #expect(ends.readAll() == [1, 2, 3])
        #expect(ring.base.count == 0)
        #expect(throws: Errno.noSuchFileOrDirectory) { try ring.base.close(token) }
    }

    /// 8 MB through a peer that reads late: a send that is short would end the connection too early.
    @Test func aLargeSendIsWholeBeforeTheClose() throws {
        let count = 8 << 20
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 12) }
        var chain = RequestChain()
        chain.send(filled(bytes), to: token)
        chain.close(token)
        try ring.base.prepare(chain)
        let reader = TestThread { [end = ends.second] in readAll(end) }
        let events = try ring.events(2)
        #expect(events.map(\.operation) == [.send, .close])
        #expect(events[0].result == Int32(count) && events[1].result == 0)
        #expect(try reader.join() == bytes)
    }

    @Test func whatFollowsAFailureIsCancelled() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        #expect(shutdown(ends.second, CInt(SHUT_RD)) == 0)
        var chain = RequestChain()
        chain.send(filled([1]), to: token)
        chain.send(filled([2, 3]), to: token)
        chain.close(token)
        try ring.base.prepare(chain)
        let first = try ring.awaited()
        let error = first.error
        #expect(error == .brokenPipe)
        let unsent = first.takeBuffer()
        #expect(unsent.contents == [1])
        let second = try ring.awaited()
        let secondError = second.error
        #expect(secondError == .canceled)
        let untouched = second.takeBuffer()
        #expect(untouched.contents == [2, 3])
        let close = SeenEvent(try ring.awaited())
        #expect(close.operation == .close && close.error == .canceled && close.token == token)
        // It is the token's as before.
        #expect(ring.base.tokens == [token])
        try ring.base.preparePoll(token, .writable)
        #expect(SeenEvent(try ring.awaited()).token == token)
        try ring.base.close(token)
        #expect(ends.readAll() == [])
    }

    @Test func aTokenIsNotUsedWhileItsCloseIsQueued() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        var chain = RequestChain()
        chain.send(filled([1]), to: token)
        chain.close(token)
        try ring.base.prepare(chain)
        #expect(ring.base.tokens == [] && ring.base.descriptor(of: token) == nil && ring.base.count == 1)
        #expect(ring.base.pendingOperations(on: token) == [.send, .close])
        #expect(throws: Errno.noSuchFileOrDirectory) { try ring.base.preparePoll(token, .readable) }
        #expect(throws: Errno.noSuchFileOrDirectory) { _ = try ring.base.remove(token) }
        try ring.base.closeAll()
        #expect(try ring.events(2).map(\.result) == [1, 0])
        #expect(ring.base.count == 0)
    }

    /// The peer reads nothing.
    @Test func aChainThatIsStuckEndsWithItsToken() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.stuckChain(ends)
        try ring.base.close(token)
        #expect(ring.base.count == 0 && ring.next() == nil)
        #expect(ends.readAll().last == 0)
    }

    /// The chain has run, and nobody has taken its events yet: cancellations end after what they were to cancel.
    @Test(arguments: [false, true]) func aTokenEndsThatIsCancelledAfterItsClose(isClosedAgain: Bool) throws {
        let ring = TestRing(try Ring(entries: 8))
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        var chain = RequestChain()
        chain.send(filled([1]), to: token)
        chain.close(token)
        try ring.base.prepare(chain)
        try ring.base.submit()
        #expect(ends.readAll() == [1])
        if isClosedAgain {
            try ring.base.close(token)
        } else {
            try ring.base.cancel(.send, on: token)
            #expect(try ring.events(2).map(\.result) == [1, 0])
        }
        // The ring looks at the end of every cancellation.
        while try ring.base.wait(timeout: .milliseconds(1)) { _ = ring.next() }
        #expect(ring.base.count == 0 && ring.base.pendingOperations(on: token) == [])
        let other = try SocketPair()
        #expect(try ring.base.insert(other.takeFirst()).index == token.index)
    }

    @Test func aChainThatIsStuckCanBeCancelled() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.stuckChain(ends)
        try ring.base.cancel(.send, on: token)
        let events = try ring.events(2)
        #expect(events.map(\.operation) == [.send, .close])
        #expect(events.allSatisfy { $0.error == .canceled })
        #expect(ring.base.tokens == [token])
    }

    /// Its descriptor is closed once: whether it ran or not.
    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables), arguments: [0, 1, 2])
    func aRingEndsWithAChain(state: Int) throws {
        try withOwnDescriptorTable {
            let ends = try SocketPair()
            var ring: TestRing? = try TestRing()
            if state == 2 {
                _ = try ring!.stuckChain(ends)
            } else {
                let token = try ring!.base.insert(ends.takeFirst())
                var chain = RequestChain()
                chain.send(filled([1]), to: token)
                chain.close(token)
                try ring!.base.prepare(chain)
                if state == 1 { try ring!.base.submit() }
            }
            ring = nil
            let bytes = ends.readAll()
            #expect(state == 2 ? bytes.count > 1 : bytes == (state == 0 ? [] : [1]))
        }
    }

    @Test func aChainIsQueuedWholeOrNotAtAll() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let others = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let gone = try ring.base.insert(others.takeFirst())
        try ring.base.close(gone)
        var chain = RequestChain()
        chain.send(filled([1]), to: token)
        chain.send(filled([2]), to: gone)
        let refusal = ring.refusal(of: chain)
        #expect(refusal == .noSuchFileOrDirectory)
        #expect(ring.base.pendingOperations(on: token) == [])
        var second = RequestChain()
        second.close(token)
        second.send(filled([1]), to: token)
        let secondRefusal = ring.refusal(of: second)
        #expect(secondRefusal == .noSuchFileOrDirectory && ring.base.tokens == [token])
        var full = RequestChain()
        full.receive(from: token, into: filled([1], capacity: 1))
        let fullRefusal = ring.refusal(of: full)
        #expect(fullRefusal == .invalidArgument)
        let emptyRefusal = ring.refusal(of: RequestChain())
        #expect(emptyRefusal == .invalidArgument)
        #expect(try !ring.base.wait(timeout: .zero))
    }

    @Test func aQueueThatIsTooSmallTakesNoneOfIt() throws {
        let ring = TestRing(try Ring(entries: 2, completions: 64))
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        var chain = RequestChain()
        for number in UInt8(0)..<3 { chain.send(filled([number]), to: token) }
        let refusal = ring.refusal(of: chain)
        #expect(refusal == .invalidArgument)
        #expect(ring.base.pendingOperations(on: token) == [])
    }

    /// What is queued already is handed over first, so that the chain is not cut.
    @Test func aChainHasTheQueueForItself() throws {
        let ring = TestRing(try Ring(entries: 4, completions: 64))
        let ends = try SocketPair()
        let others = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let other = try ring.base.insert(others.takeFirst())
        for queued in 0..<4 {
            for _ in 0..<queued { try ring.base.preparePoll(other, .writable) }
            var chain = RequestChain()
            chain.receive(from: token, into: RequestBuffer(capacity: 1))
            chain.send(filled([UInt8(queued)]), to: token)
            chain.poll(token, .writable)
            try ring.base.prepare(chain)
            for _ in 0..<queued { #expect(SeenEvent(try ring.awaited()).operation == .poll) }
            // Nothing of it starts before its first.
            #expect(try !ring.base.wait(timeout: .milliseconds(1)))
            #expect(write(ends.second, "x", 1) == 1)
            #expect(try ring.events(3).map(\.operation) == [.receive, .send, .poll])
            var byte: UInt8 = 9
            #expect(read(ends.second, &byte, 1) == 1 && byte == UInt8(queued))
        }
    }

    @Test func whatElseIsPendingIsToBeCancelledBeforeAClose() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        try ring.base.prepareReceive(token, into: RequestBuffer(capacity: 8))
        func sendAndClose() -> Errno? {
            var chain = RequestChain()
            chain.send(filled([1]), to: token)
            chain.close(token)
            return ring.refusal(of: chain)
        }
        #expect(sendAndClose() == .resourceBusy)
        try ring.base.cancel(.receive, on: token)
        #expect(ring.next()?.error == .canceled)
        #expect(sendAndClose() == nil)
        #expect(try ring.events(2).map(\.result) == [1, 0])
        #expect(ends.readAll() == [1])
    }

    @Test func whatIsNotTheRingsIsNotClosed() throws {
        let (ring, other) = (try TestRing(), try TestRing())
        let pipe = try Pipe()
        let lent = try ring.base.insert(lent: pipe.reader)
        let peer = try ring.base.insert(peer: other.base.address())
        for token in [lent, peer.token] {
            var chain = RequestChain()
            chain.close(token)
            let refusal = ring.refusal(of: chain)
            #expect(refusal == .invalidArgument)
        }
        #expect(ring.base.count == 2 && isOpen(pipe.reader))
    }

    @Test func chainsThatMakeNoSenseEndTheProgram() async {
        await #expect(processExitsWith: .failure) {
            var chain = RequestChain()
            chain.limit(.seconds(1))
        }
        await #expect(processExitsWith: .failure) {
            let ring = try TestRing()
            let token = try ring.base.insert(lent: .standardError)
            var chain = RequestChain()
            for _ in 0..<9 { chain.poll(token, .writable) }
        }
    }
}

extension TestRing {
    /// A send that waits for a peer that reads nothing, and a close behind it. Zeroes are all that gets through.
    fileprivate func stuckChain(_ ends: SocketPair) throws -> RingToken {
        let token = try base.insert(ends.takeFirst())
        let bytes = [UInt8](repeating: 0, count: 1 << 16)
        while try base.send(bytes.span.bytes, to: token) != nil {}
        var chain = RequestChain()
        chain.send(filled([1]), to: token)
        chain.close(token)
        try base.prepare(chain)
        #expect(try !base.wait(timeout: .nanoseconds(1)))
        return token
    }
}
