import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// The ways in which the kernel ends a multishot accept, and that nothing is lost by it where that can be helped.
@Suite(.enabled(if: multishotAvailable, whyNoRings)) struct MultishotAcceptTests {
    @Test func overflowEndsTheRequestAndLosesNoConnection() throws {
        var ring = try Ring(entries: 4, completions: 4)
        let listener = try loopbackListener()
        var accept = MultishotAccept(listener: listener.descriptor, token: 3)
        try accept.arm(on: &ring)
        try ring.submit()
        let clients = try Clients(32, to: listener)
        while !ring.completionsOverflowed { try ring.submitAndWait(for: 4) }
        #expect(ring.readyCompletions == 4)

        var numbers: [UInt8] = []
        while numbers.count < 32 {
            let completion = try ring.completion()
            #expect(completion.token == 3)
            guard let number = try accept.accepted(completion, on: &ring) else { continue }
            numbers += try connection(number).bytes()
        }
        #expect(numbers.sorted() == Array(0..<32))
        #expect(accept.rearms > 0)
        #expect(ring.droppedCompletions == 0)
        _ = consume clients
    }

    /// A direct accept takes the connection before it looks for a slot, so the one without a slot is closed.
    @Test func lackOfSlotsEndsTheRequestUntilOneIsFree() throws {
        var ring = try Ring.forThisThread(entries: 8, completions: 64)
        try ring.registerFileSlots(count: 2)
        let listener = try loopbackListener()
        var accept = MultishotAccept(listener: listener.descriptor, into: .slots, token: 3)
        try accept.arm(on: &ring)
        let first = try Clients(2, to: listener)
        let slots = try ring.completions(2).map { try accept.accepted($0, on: &ring) }
        #expect(Set(slots) == [0, 1])

        let unlucky = try connect(to: listener)
        let ending = try ring.completion()
        #expect(ending.error == .tooManyOpenFilesInSystem)
        #expect(!ending.isArmed)
        #expect(try accept.accepted(ending, on: &ring) == nil)
        #expect(accept.rearms == 1)
        #expect(try unlucky.bytes() == [])

        try ring.prepareCloseDirect(slot: 1, token: 9)
        #expect(try ring.completion().token == 9)
        let next = try connect(to: listener)
        #expect(try accept.accepted(ring.completion(), on: &ring) == 1)
        try next.close()
        _ = consume first
    }

    @Test(.enabled(if: descriptorTableCanBeFilled, whyNoFilling))
    func lackOfDescriptorsEndsTheRequestAndLosesNoConnection() throws {
        try withOwnDescriptorTable {
            _ = try DescriptorLimit.raise()
            var ring = try Ring.forThisThread(entries: 8, completions: 64)
            let listener = try loopbackListener()
            var accept = MultishotAccept(listener: listener.descriptor, token: 3)
            let clients = try Clients(1, to: listener)
            try waitUntilReadable(listener.descriptor)
            let filled = try fillDescriptorTable()
            try accept.arm(on: &ring)
            for attempt in 1...3 {
                let ending = try ring.completion()
                #expect(ending.error == .tooManyOpenFiles)
                #expect(!ending.isArmed)
                #expect(try accept.accepted(ending, on: &ring) == nil)
                #expect(accept.rearms == attempt)
            }
            try filled[0].close()
            let number = try #require(try accept.accepted(ring.completion(), on: &ring))
            #expect(try connection(number).bytes() == [0])
            _ = consume clients
        }
    }

    @Test func stoppedListenerIsAnErrorAndNotArmedAgain() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        var accept = MultishotAccept(listener: listener.descriptor, token: 3)
        try accept.arm(on: &ring)
        try ring.submit()
        try listener.stopAccepting()
        let completion = try ring.completion()
        #expect(throws: Errno.invalidArgument) { try accept.accepted(completion, on: &ring) }
        #expect(accept.rearms == 0)
        #expect(try ring.submit() == 0)
    }

    @Test func stoppedRequestIsNotArmedAgain() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        var accept = MultishotAccept(listener: listener.descriptor, token: 3)
        try accept.arm(on: &ring)
        try ring.submit()
        try accept.stop(on: &ring, token: 9)
        let completions = try ring.completions(2)
        for completion in completions where completion.token == 3 {
            #expect(completion.error == .canceled)
            #expect(try accept.accepted(completion, on: &ring) == nil)
        }
        #expect(completions.contains { $0.token == 9 && $0.result == 0 })
        #expect(accept.rearms == 0)
        #expect(try ring.submit() == 0)
        let clients = try Clients(1, to: listener)
        #expect(try acceptNext(from: listener).bytes() == [0])
        _ = consume clients
    }

    @Test func connectionsAcceptedBeforeTheStopStillCome() throws {
        var ring = try Ring.forThisThread(entries: 8, completions: 64)
        let listener = try loopbackListener()
        var accept = MultishotAccept(listener: listener.descriptor, token: 3)
        try accept.arm(on: &ring)
        try ring.submit()
        let clients = try Clients(4, to: listener)
        _ = try ring.submitAndWait(for: 4)
        try accept.stop(on: &ring, token: 9)
        var numbers: [UInt8] = []
        for completion in try ring.completions(6) where completion.token == 3 {
            guard let number = try accept.accepted(completion, on: &ring) else { continue }
            numbers += try connection(number).bytes()
        }
        #expect(numbers.sorted() == [0, 1, 2, 3])
        #expect(accept.rearms == 0)
        _ = consume clients
    }
}
