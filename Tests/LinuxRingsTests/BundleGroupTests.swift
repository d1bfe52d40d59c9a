import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Several buffers with one completion, parts of buffers, and both.
@Suite(.enabled(if: canDo(\.bundles) && canDo(\.incrementalBuffers), whyNoBundles)) struct BundleGroupTests {
    @Test(arguments: GroupShape.all) func theBytesComeInTheirOrder(shape: GroupShape) throws {
        let scene = try BundleScene(shape)
        let text = (0..<60_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
        let writer = scene.pair.client.descriptor
        let sender = TestThread {
            var sent = 0
            while sent < text.count {
                let size = min(text.count - sent, 1 + sent % 97)
                let count = text.withUnsafeBytes {
                    send(writer.rawValue, $0.baseAddress! + sent, size, CInt(MSG_NOSIGNAL))
                }
                if count < 0 && errno != EINTR { throw Errno(rawValue: errno) }
                sent += max(count, 0)
            }
        }
        var received: [UInt8] = []
        try scene.arm()
        while received.count < text.count {
            let completion = try scene.ring.awaited()
            let (isArmed, error) = (completion.isArmed, completion.error)
            if let error { #expect(error == .noBufferSpace) }
            for part in scene.take(completion) {
                received += scene.bytes(of: part)
                scene.group.recycle(part)
            }
            if !isArmed { try scene.arm() }
        }
        try sender.join()
        #expect(received == text)
        // One that is begun is still the kernel's.
        #expect(scene.group.freeBuffers == scene.group.count)
    }

    /// What is there at once comes with as few completions as the kernel likes, each of which may hold many buffers.
    @Test func aBundleBringsSeveralBuffers() throws {
        let scene = try BundleScene(GroupShape(bytes: 10, count: 8))
        try scene.send(35)
        try scene.arm()
        var bytes = 0
        var most = 0
        while bytes < 35 {
            let parts = scene.take(try scene.ring.awaited())
            most = max(most, parts.count)
            for part in parts {
                #expect(part.start == 0 && scene.bytes(of: part) == scene.expected(bytes, part.count))
                bytes += part.count
            }
        }
        #expect(bytes == 35 && most > 1)
        #expect(scene.group.freeBuffers == 4)
    }

    /// Buffers go back in another order than they came, and the bundles go on across the end of the ring of buffers.
    @Test(arguments: [true, false]) func aBundleIsCutByTheEndOfTheRing(isMultishot: Bool) throws {
        let scene = try BundleScene(GroupShape(bytes: 10, count: 4, isMultishot: isMultishot))
        var total = 0
        var wraps = 0
        try scene.arm()
        for round in 0..<40 {
            try scene.send(30)
            let end = total + 30
            var held: [BufferPart] = []
            while total < end {
                let completion = try scene.ring.awaited()
                let isArmed = completion.isArmed
                let parts = scene.take(completion)
                if zip(parts, parts.dropFirst()).contains(where: { $1.buffer != $0.buffer + 1 }) { wraps += 1 }
                for part in parts {
                    #expect(scene.bytes(of: part) == scene.expected(total, part.count))
                    total += part.count
                }
                held += parts
                if isArmed { continue }
                if scene.group.freeBuffers == 0 { scene.giveBack(&held, round) }
                try scene.arm()
            }
            scene.giveBack(&held, round)
        }
        #expect(wraps > 0 && scene.group.freeBuffers == 4)
    }

    /// What the page of messages and memory shows.
    @Test func theExampleOfThePage() throws {
        let pair = try Pair()
        var ring = try Ring.forThisThread(entries: 8)
        var group = BundleGroup(identifier: 1, count: 16, bytes: 65536, isIncremental: true)
        try ring.register(group)
        _ = try pair.client.send([1, 2, 3])
        try ring.prepareMultishotReceive(
            .descriptor(pair.server.descriptor), from: 1, receiveFlags: .bundle, token: 1)
        try ring.submitAndWait()
        var bytes: [UInt8] = []
        while let completion = ring.nextCompletion() {
            var run = group.run(of: completion)
            while let part = group.nextPart(of: &run) {
                bytes += group.contents(of: part).withUnsafeBytes { Array($0) }
                group.recycle(part)
            }
        }
        #expect(bytes == [1, 2, 3])
    }

    /// The end of the peer, and what is no receive, bring no part.
    @Test(arguments: GroupShape.all) func anEndBringsNothing(shape: GroupShape) throws {
        let scene = try BundleScene(shape)
        try scene.arm()
        try scene.pair.client.finishSending()
        let completion = try scene.ring.awaited()
        #expect(completion.result == 0)
        #expect(scene.take(completion).isEmpty && scene.group.freeBuffers == shape.count)
        try scene.ring.prepareFailure(token: 2)
        #expect(scene.take(try scene.ring.awaited()).isEmpty)
    }

    @Test(arguments: GroupShape.all) func withoutAFreeBufferItEndsAndCanBeArmedAgain(shape: GroupShape) throws {
        let scene = try BundleScene(shape)
        let room = shape.bytes * shape.count
        try scene.send(room + 5)
        try scene.arm()
        var held: [BufferPart] = []
        var received: [UInt8] = []
        func take(_ count: Int) throws {
            while received.count < count {
                let completion = try scene.ring.awaited()
                let isArmed = completion.isArmed
                let parts = scene.take(completion)
                received += parts.flatMap(scene.bytes)
                held += parts
                if !isArmed && received.count < count { try scene.arm() }
            }
        }
        try take(room)
        #expect(scene.group.freeBuffers == 0)
        // Some kernels say so of themselves, others when a receive is armed again.
        var ending = scene.ring.nextSeen()
        if ending == nil {
            try scene.arm()
            ending = try scene.ring.completion()
        }
        #expect(ending?.error == .noBufferSpace && ending?.isArmed == false)
        scene.giveBack(&held, 0)
        try scene.arm()
        try take(room + 5)
        #expect(received == scene.expected(0, room + 5))
    }
}

/// Parts of buffers: which bytes they are, and when a buffer is the kernel's again.
@Suite(.enabled(if: canDo(\.bundles) && canDo(\.incrementalBuffers), whyNoBundles)) struct IncrementalBufferTests {
    /// Nine bytes at a time into buffers of twenty: every third message is cut by a buffer's end, and one of them by the
    /// end of the ring of buffers.
    @Test(arguments: [false, true]) func aMessageIsCutByTheEndOfABuffer(isBundle: Bool) throws {
        let scene = try BundleScene(GroupShape(bytes: 20, count: 2, isBundle: isBundle, isIncremental: true))
        try scene.arm()
        var total = 0
        for _ in 0..<100 {
            try scene.send(9)
            let end = total + 9
            while total < end {
                for part in try scene.next() {
                    // The parts of a buffer follow each other, and so do the buffers.
                    #expect(part.start == total % 20 && Int(part.buffer) == total / 20 % 2)
                    #expect(part.start + part.count <= 20)
                    #expect(scene.bytes(of: part) == scene.expected(total, part.count))
                    total += part.count
                    scene.group.recycle(part)
                }
            }
        }
    }

    /// The kernel fills one buffer for several connections.
    @Test func connectionsShareABuffer() throws {
        let scene = try BundleScene(GroupShape(bytes: 64, count: 2, isIncremental: true))
        let other = try Pair()
        try scene.arm()
        try scene.ring.prepareMultishotReceive(.descriptor(other.server.descriptor), from: 7, token: 2)
        try scene.ring.submit()
        for round in UInt8(0)..<10 {
            try scene.send(2)
            _ = try other.client.send([round, round, round])
            var seen: [UInt64: [UInt8]] = [:]
            while seen.values.map(\.count).reduce(0, +) < 5 {
                let completion = try scene.ring.awaited()
                let token = completion.token
                for part in scene.take(completion) {
                    seen[token, default: []] += scene.bytes(of: part)
                    scene.group.recycle(part)
                }
            }
            #expect(seen[1] == scene.expected(2 * Int(round), 2) && seen[2] == [round, round, round])
        }
    }

    /// A buffer is given back when all of its parts were, in whichever order.
    @Test func theLastPartGivesTheBufferBack() throws {
        let scene = try BundleScene(GroupShape(bytes: 12, count: 2, isIncremental: true))
        try scene.arm()
        var parts: [BufferPart] = []
        for _ in 0..<6 {
            try scene.send(4)
            parts += try scene.next()
        }
        #expect(parts.map(\.start) == [0, 4, 8, 0, 4, 8] && parts.map(\.buffer) == [0, 0, 0, 1, 1, 1])
        #expect(scene.group.freeBuffers == 0)
        for index in [2, 0] { scene.group.recycle(parts[index]) }
        #expect(scene.group.freeBuffers == 0)
        scene.group.recycle(parts[1])
        #expect(scene.group.freeBuffers == 1)
        // What was not given back keeps its bytes.
        #expect(parts.dropFirst(3).flatMap(scene.bytes) == scene.expected(12, 12))
    }

    @Test func aPartIsGivenBackOnce() async {
        await #expect(processExitsWith: .failure) {
            let scene = try BundleScene(GroupShape(bytes: 12, count: 2))
            try scene.send(1)
            try scene.arm()
            for part in scene.take(try scene.ring.awaited()) {
                scene.group.recycle(part)
                scene.group.recycle(part)
            }
        }
    }

    @Test func aGroupIsRegisteredOnce() throws {
        let group = BundleGroup(identifier: 7, count: 2, bytes: 4, isIncremental: true)
        var ring = try Ring.forThisThread(entries: 8)
        var other = try Ring.forThisThread(entries: 8)
        try ring.register(group)
        #expect(throws: Errno.resourceBusy) { try other.register(group) }
        let second = BundleGroup(identifier: 7, count: 2, bytes: 4)
        #expect(throws: Errno.fileExists) { try ring.register(second) }
    }
}

/// What kernels say that have not all of it.
@Suite(.enabled(if: multishotReceiveAvailable, whyNoRings)) struct BundleRefusalTests {
    @Test func theProbeSaysWhatTheKernelDoes() throws {
        let capabilities = try RingCapabilities.probe()
        #expect(capabilities.bundles == capabilities.features.contains(.bundles))
        // The kernel that takes incremental groups came after the one with bundles.
        if capabilities.incrementalBuffers { #expect(capabilities.bundles) }
        let group = BundleGroup(identifier: 7, count: 2, bytes: 4, isIncremental: true)
        var ring = try Ring.forThisThread(entries: 8)
        let isTaken = failure { () throws(Errno) in try ring.register(group) } == nil
        #expect(isTaken == capabilities.incrementalBuffers)
    }

    /// Where there are none the flag is unknown, and with messages it is refused everywhere.
    @Test func aBundleIsRefusedWhereThereIsNone() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let group = BundleGroup(identifier: 7, count: 2, bytes: 64)
        try ring.register(group)
        let pair = try Pair()
        _ = try pair.client.send([1])
        let file = RequestFile.descriptor(pair.server.descriptor)
        var message = MessageBuffer(segments: [8])
        try ring.prepareReceiveMessage(file, into: &message, receiveFlags: .bundle, token: 1)
        let refused = try ring.awaited()
        let error = refused.error
        #expect(error == .invalidArgument)
        _ = message.takeBack(refused)
        if canDo(\.bundles) { return }
        for isMultishot in [false, true] {
            if isMultishot {
                try ring.prepareMultishotReceive(file, from: 7, receiveFlags: .bundle, token: 2)
            } else {
                try ring.prepareReceive(file, from: 7, receiveFlags: .bundle, token: 2)
            }
            #expect(try ring.completion().error == .invalidArgument)
        }
    }
}
