import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Requests that wait for all before them.
@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingDrainTests {
    @Test func itWaitsForAllBeforeItAndHoldsWhatIsBehind() throws {
        var ring = try Ring.forThisThread(entries: 16)
        let pipe = try Pipe()
        let ready = try Ready()
        for token in UInt64(1)...2 { try ring.preparePoll(pipe.reader, .readable, token: token) }
        try ring.preparePoll(ready.descriptor, .readable, .drain, token: 3)
        try ring.preparePoll(ready.descriptor, .readable, token: 4)
        try ring.submit()
        #expect(try ring.submitAndWait(timeout: .milliseconds(5)) == false)
        try pipe.write()
        let seen = try ring.completions(4)
        #expect(Set(seen.prefix(2).map(\.token)) == [1, 2])
        #expect(seen.suffix(2).map(\.token) == [3, 4])
        #expect(seen.allSatisfy { $0.error == nil })
    }

    @Test func withNothingBeforeItItStartsAtOnce() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let ready = try Ready()
        for token in UInt64(1)...3 {
            try ring.preparePoll(ready.descriptor, .readable, .drain, token: token)
            #expect(try ring.completion().token == token)
        }
    }

    @Test func manyRunOneAfterTheOther() throws {
        var ring = try Ring.forThisThread(entries: 16)
        let pair = try Pair()
        let bytes: [UInt8] = Array(0..<8)
        try bytes.withUnsafeBytes { memory in
            for index in 0..<8 {
                try ring.prepareSend(
                    .descriptor(pair.server.descriptor), from: memory.baseAddress! + index, count: 1, .drain,
                    token: UInt64(index))
            }
            #expect(try ring.completions(8).map(\.token) == Array(0..<8))
        }
        var received: [UInt8] = []
        while received.count < 8 { received += try pair.client.bytes() }
        #expect(received == bytes)
    }

    /// A failure before it is none of its business.
    @Test(.enabled(if: canDo(\.immediateCancel), whyNot)) func itRunsAfterAFailureToo() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        let ready = try Ready()
        try ring.preparePoll(pipe.reader, .readable, token: 1)
        try ring.preparePoll(ready.descriptor, .readable, .drain, token: 2)
        try ring.submit()
        // A submission would wait behind the drain.
        #expect(try ring.cancel(.token(1)) == 1)
        let seen = try ring.completions(2)
        #expect(seen.map(\.token) == [1, 2] && seen.map(\.error) == [.canceled, nil])
    }

    /// In the middle of a chain it is the chain that waits.
    @Test func aChainWaitsAsAWhole() throws {
        var ring = try Ring.forThisThread(entries: 16)
        let pipe = try Pipe()
        let ready = try Ready()
        try ring.preparePoll(pipe.reader, .readable, token: 1)
        try ring.preparePoll(ready.descriptor, .readable, .link, token: 2)
        try ring.preparePoll(ready.descriptor, .readable, [.link, .drain], token: 3)
        try ring.preparePoll(ready.descriptor, .readable, token: 4)
        try ring.preparePoll(ready.descriptor, .readable, token: 5)
        try ring.submit()
        #expect(try ring.submitAndWait(timeout: .milliseconds(5)) == false)
        try pipe.write()
        #expect(try ring.completions(5).map(\.token) == [1, 2, 3, 4, 5])
    }

    @Test(.enabled(if: canDo(\.timeout), whyNot)) func itWaitsForTimeouts() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let ready = try Ready()
        try ring.prepareTimeout(.after(.milliseconds(2)), token: 1)
        try ring.preparePoll(ready.descriptor, .readable, .drain, token: 2)
        #expect(try ring.completions(2).map(\.token) == [1, 2])
    }

    /// The kernel counts completions, and those that do not come it cannot count.
    @Test(.enabled(if: multishotAvailable, whyNoRings)) func afterAQuietRequestItIsRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let ready = try Ready()
        try ring.preparePoll(ready.descriptor, .readable, .skipSuccess, token: 1)
        try ring.preparePoll(ready.descriptor, .readable, .drain, token: 2)
        let seen = try ring.completion()
        #expect(seen.token == 2 && seen.error == .notSupportedOnSocket)
    }

    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables), arguments: [EntryFlags(), .skipSuccess])
    func aCloseThatIsRefusedIsMadeUpFor(_ flags: EntryFlags) throws {
        try withOwnDescriptorTable {
            var ring = try Ring.forThisThread(entries: 8)
            let file = OwnedDescriptor(owning: try FileDescriptor.open("/dev/null", .readOnly))
            let number = file.descriptor
            let ready = try Ready()
            try ring.preparePoll(ready.descriptor, .readable, .skipSuccess, token: 1)
            try ring.prepareClose(file, [.drain, flags], token: 2)
            let seen = try ring.completion()
            #expect(seen.token == 2 && seen.error == .notSupportedOnSocket)
            #expect(!isOpen(number))
        }
    }

    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables)) func theEndOfTheRingRunsAClose() throws {
        guard multishotReceiveAvailable else { return print("skipped: cancelling at the end needs Linux 6.0") }
        try withOwnDescriptorTable {
            let pipe = try Pipe()
            let file = OwnedDescriptor(owning: try FileDescriptor.open("/dev/null", .readOnly))
            let number = file.descriptor
            do {
                var ring = try Ring.forThisThread(entries: 8)
                try ring.preparePoll(pipe.reader, .readable, token: 1)
                try ring.prepareClose(file, .drain, token: 2)
                try ring.submit()
                #expect(isOpen(number))
            }
            #expect(!isOpen(number))
        }
    }
}

/// Requests that a thread of the kernel's carries out from the start.
@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingAsyncTests {
    @Test func itIsCarriedOut() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let bytes: [UInt8] = [1, 2, 3]
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        defer { memory.deallocate() }
        try ring.prepareReceive(.descriptor(pair.client.descriptor), into: memory, count: 8, .async, token: 1)
        try ring.submit()
        try bytes.withUnsafeBytes {
            try ring.prepareSend(
                .descriptor(pair.server.descriptor), from: $0.baseAddress!, count: 3, .async, token: 2)
            let seen = try ring.completions(2)
            #expect(seen.map(\.result) == [3, 3] && Set(seen.map(\.token)) == [1, 2])
        }
        #expect(Array(UnsafeRawBufferPointer(start: memory, count: 3)) == bytes)
    }

    @Test func aChainOfThemRunsInItsOrder() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let ready = try Ready()
        for token in UInt64(1)...4 {
            try ring.preparePoll(
                ready.descriptor, .readable, token == 4 ? .async : [.async, .link], token: token)
        }
        #expect(try ring.completions(4).map(\.token) == [1, 2, 3, 4])
    }

    @Test func whatWaitsCanBeCancelled() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pair = try Pair()
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        defer { memory.deallocate() }
        try ring.prepareReceive(.descriptor(pair.client.descriptor), into: memory, count: 8, .async, token: 1)
        try ring.submit()
        var ended: Seen?
        while ended == nil {
            // The thread may just be carrying it out, and is asked to stop.
            try ring.prepareCancel(target: 1, token: 2)
            for seen in try ring.completions(1) where seen.token == 1 { ended = seen }
        }
        #expect(ended?.error == .canceled || ended?.error == .interrupted)
    }
}
