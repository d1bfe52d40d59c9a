import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingAcceptTests {
    @Test func singleAcceptTakesOneConnection() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        try ring.prepareAccept(on: listener.descriptor, token: 1)
        try ring.submit()
        let clients = try Clients(2, to: listener)
        let completion = try ring.completion()
        #expect(completion.token == 1)
        #expect(!completion.isArmed)
        #expect(try connection(completion.result).bytes() == [0])
        #expect(try ring.submitAndWait(timeout: .milliseconds(1)) == false)
        #expect(try acceptNext(from: listener).bytes() == [1])
        _ = consume clients
    }

    @Test(arguments: [false, true])
    func acceptedDescriptorHasTheFlags(_ nonblocking: Bool) throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        let clients = try Clients(1, to: listener)
        try ring.prepareAccept(on: listener.descriptor, nonblocking: nonblocking, token: 1)
        let server = try connection(ring.completion().result)
        #expect(fcntl(server.descriptor.rawValue, F_GETFD) == FD_CLOEXEC)
        #expect((fcntl(server.descriptor.rawValue, F_GETFL) & O_NONBLOCK != 0) == nonblocking)
        _ = consume clients
    }

    @Test func mistakesBecomeResults() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let pipe = try Pipe()
        try ring.prepareAccept(on: BorrowedDescriptor(rawValue: -1), token: 1)
        try ring.prepareAccept(on: pipe.reader, token: 2)
        let errors = Dictionary(uniqueKeysWithValues: try ring.completions(2).map { ($0.token, $0.error) })
        #expect(errors == [1: .badFileDescriptor, 2: .notSocket])
    }

    @Test(.enabled(if: multishotAvailable, whyNoRings))
    func multishotAcceptTakesEveryConnection() throws {
        var ring = try Ring.forThisThread(entries: 8, completions: 64)
        let listener = try loopbackListener()
        try ring.prepareMultishotAccept(on: listener.descriptor, nonblocking: true, token: 3)
        try ring.submit()
        var numbers: [UInt8] = []
        for _ in 0..<4 {
            let clients = try Clients(8, to: listener)
            for completion in try ring.completions(8) {
                #expect(completion.token == 3)
                #expect(completion.isArmed)
                let server = try connection(completion.result)
                #expect(fcntl(server.descriptor.rawValue, F_GETFL) & O_NONBLOCK == O_NONBLOCK)
                numbers += try server.bytes()
            }
            _ = consume clients
        }
        #expect(numbers.sorted() == (0..<32).map { UInt8($0 / 4) })
        #expect(ring.submitted == 1)
    }
}

@Suite(.enabled(if: multishotAvailable, whyNoRings)) struct RingDirectAcceptTests {
    @Test func connectionsGoIntoSlots() throws {
        var ring = try Ring.forThisThread(entries: 8, completions: 64)
        try ring.registerFileSlots(count: 8)
        let listener = try loopbackListener()
        try ring.prepareMultishotAcceptDirect(on: listener.descriptor, token: 3)
        let clients = try Clients(8, to: listener)
        let completions = try ring.completions(8)
        #expect(Set(completions.map(\.result)) == Set(0..<8))
        #expect(completions.allSatisfy { $0.isArmed })
        _ = consume clients
    }

    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables))
    func acceptedConnectionsUseNoDescriptor() throws {
        try withOwnDescriptorTable {
            var ring = try Ring.forThisThread(entries: 8, completions: 64)
            try ring.registerFileSlots(count: 8)
            let listener = try loopbackListener()
            try ring.prepareMultishotAcceptDirect(on: listener.descriptor, token: 3)
            let clients = try Clients(8, to: listener)
            let before = try FileDescriptor.open("/dev/null", .readOnly)
            try before.close()
            _ = try ring.completions(8)
            #expect(try FileDescriptor.open("/dev/null", .readOnly) == before)
            _ = consume clients
        }
    }

    @Test func acceptWithoutATableFails() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        try ring.prepareMultishotAcceptDirect(on: listener.descriptor, token: 3)
        let clients = try Clients(1, to: listener)
        let completion = try ring.completion()
        // The kernel does not tell a table without slots from one whose slots are all taken.
        #expect(completion.error == .tooManyOpenFilesInSystem)
        #expect(!completion.isArmed)
        _ = consume clients
    }

    @Test func secondTableIsRefused() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.registerFileSlots(count: 8)
        #expect(throws: Errno.resourceBusy) { try ring.registerFileSlots(count: 8) }
    }
}
