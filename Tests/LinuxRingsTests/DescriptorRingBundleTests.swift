import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Receives that bring several buffers with one event: which bytes they are, and that each buffer is given back once.
@Suite(.enabled(if: canDo(\.bundles), "bundles need Linux 6.10")) struct DescriptorRingBundleTests {
    /// The buffers of a bundle, behind references.
    private func taken(_ event: consuming RingEvent) -> [Held] {
        var held: [Held] = []
        guard event.hasBundle else { return held }
        var bundle = event.takeBundle()
        while let buffer = bundle.next() { held.append(Held(buffer)) }
        return held
    }

    private func isEnd(_ buffer: consuming GroupBuffer?) -> Bool {
        switch consume buffer {
        case .some: false
        case nil: true
        }
    }

    private func pattern(_ count: Int, from start: Int = 0) -> [UInt8] {
        (start..<start + count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
    }

    @Test(arguments: [true, false]) func theBytesComeInTheirOrder(multishot: Bool) throws {
        let ring = try TestRing()
        let pair = try Pair()
        let token = try ring.base.insert(pair.server.descriptor.duplicate())
        let buffers = try ring.base.addBuffers(count: 8, bytes: 64, headroom: 16)
        let text = pattern(100_000)
        let writer = pair.client.descriptor.rawValue
        let sender = TestThread {
            var sent = 0
            while sent < text.count {
                let size = min(text.count - sent, 1 + sent % 997)
                let count = text.withUnsafeBytes { send(writer, $0.baseAddress! + sent, size, CInt(MSG_NOSIGNAL)) }
                if count < 0 && errno != EINTR { throw Errno(rawValue: errno) }
                sent += max(count, 0)
            }
        }
        var received: [UInt8] = []
        try ring.base.prepareBundleReceive(token, from: buffers, multishot: multishot)
        while received.count < text.count {
            let event = try ring.awaited()
            let (isArmed, error, result) = (event.isArmed, event.error, event.result)
            if let error { #expect(error == .noBufferSpace) }
            let held = taken(event)
            let bytes = held.flatMap(\.contents)
            #expect(bytes.count == max(result, 0))
            // All but the last are full.
            #expect(held.dropLast().allSatisfy { $0.contents.count == 64 })
            received += bytes
            if !isArmed { try ring.base.prepareBundleReceive(token, from: buffers, multishot: multishot) }
        }
        try sender.join()
        #expect(received == text)
        #expect(try ring.base.freeBuffers(of: buffers) == 8)
    }

    @Test func whatHasArrivedComesWithOneEvent() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let buffers = try ring.base.addBuffers(count: 8, bytes: 10)
        let sent = pattern(35)
        #expect(write(ends.second, sent, 35) == 35)
        try ring.base.prepareBundleReceive(token, from: buffers)
        var received: [UInt8] = []
        var most = 0
        while received.count < 35 {
            let event = try ring.awaited()
            let (hasBundle, hasGroupBuffer) = (event.hasBundle, event.hasGroupBuffer)
            #expect(hasBundle && !hasGroupBuffer)
            var bundle = event.takeBundle()
            most = max(most, bundle.count)
            while let buffer = bundle.next() { received += buffer.contents }
            let (left, isOver) = (bundle.count, isEnd(bundle.next()))
            #expect(left == 0 && isOver)
        }
        #expect(received == sent && most > 1)
    }

    /// Buffers go back in another order than they came, so that bundles go on across the end of the ring of buffers, in
    /// buffers whose numbers do not follow each other.
    @Test(arguments: [true, false]) func aBundleIsCutByTheEndOfTheRing(multishot: Bool) throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let buffers = try ring.base.addBuffers(count: 4, bytes: 10)
        try ring.base.prepareBundleReceive(token, from: buffers, multishot: multishot)
        var total = 0
        var bundles = 0
        for round in 0..<40 {
            #expect(write(ends.second, pattern(30, from: total), 30) == 30)
            let end = total + 30
            var held: [Held] = []
            while total < end {
                let event = try ring.awaited()
                let isArmed = event.isArmed
                let part = taken(event)
                let bytes = part.flatMap(\.contents)
                #expect(bytes == pattern(bytes.count, from: total), "round \(round)")
                if part.count > 1 { bundles += 1 }
                total += bytes.count
                held += part
                if isArmed { continue }
                if try ring.base.freeBuffers(of: buffers) == 0 { held.removeAll() }
                try ring.base.prepareBundleReceive(token, from: buffers, multishot: multishot)
            }
            // From the middle, from the end, from the front.
            for _ in held.indices { _ = held.remove(at: (round * 5 + 1) % held.count) }
        }
        #expect(bundles > 0)
        #expect(try ring.base.freeBuffers(of: buffers) == 4)
    }

    @Test(arguments: [true, false]) func withoutAFreeBufferItEndsAndCanBeQueuedAgain(multishot: Bool) throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let buffers = try ring.base.addBuffers(count: 4, bytes: 10)
        let sent = pattern(45)
        #expect(write(ends.second, sent, 45) == 45)
        try ring.base.prepareBundleReceive(token, from: buffers, multishot: multishot)
        var held: [Held] = []
        while try ring.base.freeBuffers(of: buffers) > 0 {
            let event = try ring.awaited()
            let isArmed = event.isArmed
            held += taken(event)
            let free = try ring.base.freeBuffers(of: buffers)
            if !isArmed && free > 0 { try ring.base.prepareBundleReceive(token, from: buffers, multishot: multishot) }
        }
        #expect(held.flatMap(\.contents) == Array(sent.prefix(40)))
        if ring.base.pendingOperations(on: token).isEmpty && ring.next() == nil {
            try ring.base.prepareBundleReceive(token, from: buffers, multishot: multishot)
            let ending = SeenEvent(try ring.awaited())
            #expect(ending.error == .noBufferSpace && !ending.isArmed && ending.operation == .receive)
        }
        #expect(ring.base.pendingOperations(on: token) == [])
        held = []
        #expect(try ring.base.freeBuffers(of: buffers) == 4)
        try ring.base.prepareBundleReceive(token, from: buffers, multishot: multishot)
        #expect(taken(try ring.awaited()).flatMap(\.contents) == Array(sent.suffix(5)))
    }

    /// Taken or not, in part or as a whole: with two buffers a third that is not given back would be missing.
    @Test(arguments: 0...3) func whatIsNotTakenIsGivenBack(taking count: Int) throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let buffers = try ring.base.addBuffers(count: 2, bytes: 4)
        for round in 0..<10 {
            #expect(write(ends.second, pattern(8, from: round), 8) == 8)
            var bytes = 0
            while bytes < 8 {
                try ring.base.prepareBundleReceive(token, from: buffers, multishot: false)
                let event = try ring.awaited()
                bytes += Int(event.result)
                let hasBundle = event.hasBundle
                #expect(hasBundle)
                if count == 0 { continue }
                var bundle = event.takeBundle()
                for _ in 1..<count { _ = bundle.next() }
            }
            #expect(try ring.base.freeBuffers(of: buffers) == 2)
        }
    }

    @Test func whatArrivedForARemovedDescriptorIsGivenBack() throws {
        let ring = try TestRing()
        let buffers = try ring.base.addBuffers(count: 4, bytes: 2)
        for round in 1...10 {
            let ends = try SocketPair()
            let token = try ring.base.insert(ends.takeFirst())
            try ring.base.prepareBundleReceive(token, from: buffers)
            #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
            #expect(write(ends.second, "late", 4) == 4)
            try ring.base.close(token)
            #expect(ring.next() == nil && ring.base.droppedCompletions >= UInt64(round))
            #expect(try ring.base.freeBuffers(of: buffers) == 4)
        }
    }

    @Test func aDrainedDescriptorLosesNoBytes() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let buffers = try ring.base.addBuffers(count: 4, bytes: 2)
        try ring.base.prepareBundleReceive(token, from: buffers)
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        #expect(write(ends.second, "abcde", 5) == 5)
        try ring.base.drain(token)
        var bytes: [UInt8] = []
        while let event = ring.base.nextEvent() { bytes += taken(event).flatMap(\.contents) }
        #expect(bytes == Array("abcde".utf8))
        #expect(try ring.base.freeBuffers(of: buffers) == 4)
    }

    /// One group serves receives of one buffer, too, and sends go from its buffers.
    @Test func bundlesAndSingleBuffersShareAGroup() throws {
        let ring = try TestRing()
        let (one, many) = (try SocketPair(), try SocketPair())
        let (single, bundled) = (try ring.base.insert(one.takeFirst()), try ring.base.insert(many.takeFirst()))
        let buffers = try ring.base.addBuffers(count: 4, bytes: 4)
        for round in 0..<20 {
            try ring.base.prepareReceive(single, from: buffers, multishot: false)
            #expect(write(one.second, pattern(4, from: round), 4) == 4)
            let buffer = try ring.awaited().takeGroupBuffer()
            #expect(buffer.contents == pattern(4, from: round))
            var bytes: [UInt8] = []
            #expect(write(many.second, pattern(10, from: round), 10) == 10)
            while bytes.count < 10 {
                try ring.base.prepareBundleReceive(bundled, from: buffers, multishot: false)
                bytes += taken(try ring.awaited()).flatMap(\.contents)
            }
            #expect(bytes == pattern(10, from: round))
            try ring.base.prepareSend(single, from: buffer)
            let sent = SeenEvent(try ring.awaited())
            var reply = [UInt8](repeating: 0, count: 4)
            let count = receiveWhole(&reply, from: one.second)
            #expect(sent.result == 4 && count == 4 && reply == pattern(4, from: round))
        }
        #expect(try ring.base.freeBuffers(of: buffers) == 4)
    }

    @Test func theEndOfThePeerBringsNothing() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        let buffers = try ring.base.addBuffers(count: 2, bytes: 8)
        try ring.base.prepareBundleReceive(token, from: buffers)
        #expect(shutdown(ends.second, CInt(SHUT_WR)) == 0)
        let event = try ring.awaited()
        let (result, hasBundle, isArmed) = (event.result, event.hasBundle, event.isArmed)
        #expect(result == 0 && !hasBundle && !isArmed)
        #expect(try ring.base.freeBuffers(of: buffers) == 2)
    }

    @Test func aBundleOutlivesItsRing() throws {
        let ends = try SocketPair()
        var bundle: GroupBundle?
        do {
            let ring = try TestRing()
            let token = try ring.base.insert(ends.takeFirst())
            let buffers = try ring.base.addBuffers(count: 2, bytes: 2)
            #expect(write(ends.second, "abcd", 4) == 4)
            try ring.base.prepareBundleReceive(token, from: buffers, multishot: false)
            bundle = try ring.awaited().takeBundle()
        }
        var first: [Held] = []
        if let buffer = bundle?.next() { first.append(Held(buffer)) }
        #expect(first.flatMap(\.contents) == Array("ab".utf8))
        bundle = nil
        #expect(first.flatMap(\.contents) == Array("ab".utf8))
    }

    @Test func groupsOfAnotherRingAreUnknown() throws {
        let (one, two) = (try TestRing(), try TestRing())
        let ends = try SocketPair()
        let token = try two.base.insert(ends.takeFirst())
        let buffers = try one.base.addBuffers(count: 2, bytes: 8)
        #expect(throws: Errno.noSuchFileOrDirectory) { try two.base.prepareBundleReceive(token, from: buffers) }
    }
}
