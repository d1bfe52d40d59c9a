import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// The ring's own file table, and what goes wrong with it.
@Suite(.enabled(if: multishotAvailable, whyNoRings)) struct RingFilesTests {
    @Test func aTableIsNeededFirst() throws {
        var ring = try Ring.forThisThread(entries: 8)
        #expect(throws: Errno(rawValue: ENXIO)) { try ring.registerFile(.standardError, slot: Slot(0)) }
        #expect(throws: Errno(rawValue: ENXIO)) { try ring.emptySlot(Slot(0)) }
    }

    @Test func impossibleTablesAreRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        #expect(throws: Errno.invalidArgument) { try ring.registerFileSlots(count: 0) }
        for count: UInt32 in [1 << 20 + 1, 1 << 31, .max] {
            #expect(throws: Errno.tooManyOpenFiles) { try ring.registerFileSlots(count: count) }
        }
        try ring.registerFileSlots(count: 2)
        #expect(throws: Errno.resourceBusy) { try ring.registerFileSlots(count: 2) }
    }

    @Test func whatIsNoFileIsRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 2)
        for number in [CInt.max, -1, -2, ring.descriptor.rawValue] {
            #expect(throws: Errno.badFileDescriptor) {
                try ring.registerFile(BorrowedDescriptor(rawValue: number), slot: Slot(0))
            }
        }
    }

    @Test func anEmptiedSlotHoldsItsFileNoMore() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 2)
        let pair = try Pair()
        try ring.registerFile(pair.server.descriptor, slot: Slot(1))
        let client = try pair.closeServer()
        try ring.emptySlot(Slot(1))
        #expect(try client.bytes() == [])
        try ring.emptySlot(Slot(1))
    }
}

/// Flags and features of rings.
@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingFlagTests {
    /// Larger entries, a polling kernel thread, memory of the caller's: nothing that this library could read.
    @Test(arguments: (UInt32(0)..<32).map { RingSetup(rawValue: 1 << $0) })
    func flagsThatAreNotUnderstoodAreRefused(_ flag: RingSetup) throws {
        guard !flag.isSubset(of: .understood) else { return }
        #expect(failure { () throws(Errno) in try Ring(entries: 8, flag) } == .invalidArgument)
    }

    @Test func capabilitiesTellWhichFlagsTheKernelKnows() throws {
        let known = try RingCapabilities.probe().setups
        #expect(known.isSubset(of: .understood))
        for flag in [RingSetup.clamp, .submitAll, .cooperativeTaskRun, .singleIssuer] {
            let error = failure { () throws(Errno) in try Ring(entries: 8, flag) }
            #expect(error == (known.contains(flag) ? nil : .invalidArgument))
        }
    }

    @Test func flagsThatARequestSetsItselfAreDropped() {
        #expect(EntryFlags(rawValue: 1 << 0 | 1 << 5 | 1 << 2) == .link)
    }
}
