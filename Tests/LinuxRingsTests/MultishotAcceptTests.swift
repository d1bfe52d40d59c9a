import Glibc
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
            numbers += try accept.next(on: &ring).bytes()
        }
        #expect(numbers.sorted() == Array(0..<32))
        #expect(accept.rearms > 0)
        #expect(ring.droppedCompletions == 0)
        _ = consume clients
    }

    @Test(arguments: [false, true]) func itsConnectionsWaitOrNot(_ nonblocking: Bool) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        var accept = MultishotAccept(listener: listener.descriptor, token: 3)
        accept.makesNonblocking = nonblocking
        try accept.arm(on: &ring)
        let client = try connect(to: listener)
        let completion = try ring.awaited()
        guard case .descriptor(let owned) = try accept.accepted(completion, on: &ring) else {
            Issue.record("no connection came")
            return
        }
        let flags = fcntl(owned.descriptor.rawValue, F_GETFL)
        #expect((flags & O_NONBLOCK != 0) == nonblocking)
        try client.close()
    }

    /// A direct accept takes the connection before it looks for a slot, so the one without a slot is closed.
    @Test func lackOfSlotsEndsTheRequestUntilOneIsFree() throws {
        var ring = try Ring.forThisThread(entries: 8, completions: 64)
        try ring.registerFileSlots(count: 2)
        let listener = try loopbackListener()
        var accept = MultishotAccept(listener: listener.descriptor, into: .slots, token: 3)
        try accept.arm(on: &ring)
        let first = try Clients(2, to: listener)
        let slots = [try accept.next(on: &ring).slot, try accept.next(on: &ring).slot]
        #expect(Set(slots) == [Slot(0), Slot(1)])

        let unlucky = try connect(to: listener)
        #expect(try accept.next(on: &ring).isNothing)
        #expect(accept.shortage == .tooManyOpenFilesInSystem)
        #expect(accept.rearms == 0)
        #expect(try unlucky.bytes() == [])

        try ring.prepareClose(slot: Slot(1), token: 9)
        #expect(try ring.completion().token == 9)
        try accept.resume(on: &ring, afterClose: true)
        #expect(accept.shortage == nil && accept.rearms == 1)
        let next = try connect(to: listener)
        #expect(try accept.next(on: &ring).slot == Slot(1))
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
            for attempt in UInt64(1)...3 {
                #expect(try accept.next(on: &ring).isNothing)
                #expect(accept.shortage == .tooManyOpenFiles)
                // Nothing is queued by itself.
                #expect(try ring.submit() == 0)
                try accept.resume(on: &ring, afterClose: true)
                #expect(accept.shortage == nil && accept.rearms == attempt)
            }
            _ = OwnedDescriptor(owning: .init(rawValue: filled[0].rawValue))
            #expect(try accept.next(on: &ring).bytes() == [0])
            _ = consume clients
        }
    }

    /// The pattern of the documentation, for a second in which no descriptor is free.
    @Test(.enabled(if: descriptorTableCanBeFilled, whyNoFilling))
    func aSecondOfExhaustionCostsFewEntersAndNoConnection() throws {
        try withOwnDescriptorTable {
            _ = try DescriptorLimit.raise()
            var ring = try Ring.forThisThread(entries: 8, completions: 64)
            let listener = try loopbackListener()
            var accept = MultishotAccept(listener: listener.descriptor, token: 3)
            let clients = try Clients(5, to: listener)
            let filled = try fillDescriptorTable()
            try accept.arm(on: &ring)
            let end = ContinuousClock.now + .seconds(1)
            var numbers: [UInt8] = []
            var isFull = true
            while numbers.count < 5 {
                if accept.shortage == nil {
                    try ring.submitAndWait()
                } else {
                    _ = try ring.submitAndWait(timeout: .milliseconds(50))
                    if isFull && ContinuousClock.now > end {
                        #expect(ring.enters < 100 && accept.rearms < 50, "it spins")
                        for number in filled { _ = OwnedDescriptor(owning: .init(rawValue: number.rawValue)) }
                        isFull = false
                    }
                    try accept.resume(on: &ring)
                }
                while let completion = ring.nextCompletion() {
                    if case .descriptor(let connection) = try accept.accepted(completion, on: &ring) {
                        numbers += try Connection(owning: connection).bytes()
                    }
                }
            }
            #expect(numbers.sorted() == [0, 1, 2, 3, 4])
            _ = consume clients
        }
    }

    /// The pattern of the documentation beside a request that completes at once, again and again.
    @Test(.enabled(if: descriptorTableCanBeFilled, whyNoFilling))
    func aBusyNeighbourDoesNotMakeItSpin() throws {
        try withOwnDescriptorTable {
            _ = try DescriptorLimit.raise()
            var ring = try Ring.forThisThread(entries: 8, completions: 64)
            let listener = try loopbackListener()
            let pipe = try Pipe()
            try pipe.write()
            var accept = MultishotAccept(listener: listener.descriptor, token: 3)
            let clients = try Clients(1, to: listener)
            let filled = try fillDescriptorTable()
            try accept.arm(on: &ring)
            try ring.preparePoll(pipe.reader, .readable, token: 4)
            let start = ContinuousClock.now
            var neighbours = 0
            while neighbours < 20_000 {
                try ring.submitAndWait()
                try accept.resume(on: &ring)
                while let completion = ring.nextCompletion() {
                    if completion.token == 3 {
                        #expect(try Taken(accept.accepted(completion, on: &ring)).isNothing)
                    } else {
                        neighbours += 1
                        try ring.preparePoll(pipe.reader, .readable, token: 4)
                    }
                }
            }
            // At most one for each 10 ms, however long it took.
            #expect(accept.rearms <= UInt64((ContinuousClock.now - start) / .milliseconds(10)) + 1)
            for number in filled { _ = OwnedDescriptor(owning: .init(rawValue: number.rawValue)) }
            _ = consume clients
        }
    }

    @Test func armingAnewEndsAShortage() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 1)
        let listener = try loopbackListener()
        var accept = MultishotAccept(listener: listener.descriptor, into: .slots, token: 3)
        try accept.arm(on: &ring)
        let clients = try Clients(2, to: listener)
        #expect(try accept.next(on: &ring).slot == Slot(0))
        #expect(try accept.next(on: &ring).isNothing)
        #expect(accept.shortage != nil)
        try accept.arm(on: &ring)
        #expect(accept.shortage == nil)
        try accept.resume(on: &ring, afterClose: true)
        #expect(accept.rearms == 0)
        #expect(try ring.submit() == 1)
        _ = consume clients
    }

    /// Another ring's message, with a number that would be taken for a connection.
    @Test func aCompletionOfAnotherRequestIsRefused() async {
        await #expect(processExitsWith: .failure) {
            var ring = try Ring(entries: 8)
            let listener = try loopbackListener()
            var accept = MultishotAccept(listener: listener.descriptor, token: 3)
            try ring.prepareMessage(to: ring.descriptor, result: 1, messageToken: 4, .skipSuccess, token: 5)
            _ = try accept.next(on: &ring)
        }
    }

    @Test func stoppedListenerIsAnErrorAndNotArmedAgain() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        var accept = MultishotAccept(listener: listener.descriptor, token: 3)
        try accept.arm(on: &ring)
        try ring.submit()
        try listener.stopAccepting()
        #expect(throws: Errno.invalidArgument) { try accept.next(on: &ring) }
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
        var ended = 0
        for _ in 0..<2 {
            let completion = try ring.awaited()
            if completion.token == 9 {
                let result = completion.result
                #expect(result == 0)
            } else {
                #expect(try Taken(accept.accepted(completion, on: &ring)).isNothing)
                ended += 1
            }
        }
        #expect(ended == 1)
        #expect(accept.rearms == 0 && accept.shortage == nil)
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
        for _ in 0..<6 {
            let completion = try ring.awaited()
            guard completion.token == 3 else { continue }
            numbers += try Taken(accept.accepted(completion, on: &ring)).bytes()
        }
        #expect(numbers.sorted() == [0, 1, 2, 3])
        #expect(accept.rearms == 0)
        _ = consume clients
    }

    /// When the queue takes no more, the connection of the last completion is returned all the same.
    @Test func aConnectionIsNotLostWhenTheRequestCannotBeQueued() throws {
        var ring = try Ring(entries: 1, completions: 2)
        let listener = try loopbackListener()
        var accept = MultishotAccept(listener: listener.descriptor, token: 3)
        try ring.prepareAccept(on: listener.descriptor, token: 3)
        let clients = try Clients(1, to: listener)
        let completion = try ring.awaited()
        // Its descriptor is not open any more for the ring, so nothing can be handed over to make room.
        let closed = ring.descriptor.rawValue
        let ringCopy = try ring.descriptor.duplicate()
        try ring.preparePoll(listener.descriptor, .writable, token: 5)
        _ = OwnedDescriptor(owning: .init(rawValue: closed))
        let taken = Taken(try accept.accepted(completion, on: &ring))
        #expect(try taken.bytes() == [0])
        #expect(accept.shortage == .badFileDescriptor)
        #expect(dup2(ringCopy.descriptor.rawValue, closed) == closed)
        try accept.resume(on: &ring, afterClose: true)
        #expect(accept.shortage == nil)
        _ = consume clients
    }
}

/// An accepted file behind a reference, because expectations cannot hold what cannot be copied.
final class Taken {
    let slot: Slot?
    let isNothing: Bool
    private let connection: BorrowedDescriptor?

    init(_ file: consuming AcceptedFile?) {
        switch consume file {
        case .descriptor(let descriptor):
            connection = BorrowedDescriptor(descriptor.release())
            slot = nil
            isNothing = false
        case .slot(let slot):
            connection = nil
            self.slot = slot
            isNothing = false
        case nil:
            connection = nil
            slot = nil
            isNothing = true
        }
    }

    /// What the connection's peer sent first; nothing without a connection.
    func bytes() throws -> [UInt8] {
        try connection?.with(Connection.self) { try $0.bytes() } ?? []
    }

    deinit {
        if let connection { _ = OwnedDescriptor(owning: FileDescriptor(rawValue: connection.rawValue)) }
    }
}

extension MultishotAccept {
    /// Takes the next completion of the ring, waited for, which must be of this request.
    mutating func next(on ring: inout Ring) throws -> Taken {
        Taken(try accepted(ring.awaited(), on: &ring))
    }
}
