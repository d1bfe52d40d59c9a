import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// What is lent stays open and stays its owner's, whichever way the borrower leaves.
@Suite struct DescriptorOwnerTests {
    @Test func lentConnectionWorksAndStaysOpen() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener)
        for round: UInt8 in 0..<3 {
            let sent = try server.descriptor.with(Connection.self) { try $0.send([round]) }
            #expect(sent == 1)
            #expect(try client.bytes() == [round])
        }
        #expect(isOpen(server.descriptor))
    }

    @Test func nothingIsClosedWhenTheBorrowerThrows() throws {
        struct Refusal: Error {}
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener)
        #expect(throws: Refusal.self) {
            try server.descriptor.with(Connection.self) { (_) throws(Refusal) in throw Refusal() }
        }
        #expect(throws: Errno.invalidArgument) {
            try server.descriptor.with(Connection.self) { (connection) throws(Errno) in
                var none: [UInt8] = []
                var span = none.mutableSpan
                var raw = span.mutableBytes
                return try connection.receive(into: &raw)
            }
        }
        #expect(isOpen(server.descriptor))
        #expect(try server.send([1]) == 1)
        #expect(try client.bytes() == [1])
    }

    @Test func listenerCanBeLent() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        try waitUntilReadable(listener.descriptor)
        let accepted = try listener.descriptor.with(Listener.self) { try $0.accept() != nil }
        #expect(accepted)
        #expect(isOpen(listener.descriptor))
        try client.close()
    }

    /// A number that is not open, negative ones too, is the kernel's to refuse, and nothing is closed for it.
    @Test(arguments: [-1, CInt.min, CInt.max]) func lentNumberThatIsNotOpenIsRefused(_ number: CInt) {
        let none = BorrowedDescriptor(rawValue: number)
        #expect(throws: Errno.badFileDescriptor) {
            try none.with(Connection.self) { (connection) throws(Errno) in try connection.finishSending() }
        }
    }

    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables))
    func aLoanOpensAndClosesNothing() throws {
        try withOwnDescriptorTable {
            let listener = try loopbackListener()
            let next = try BorrowedDescriptor.standardError.duplicate().descriptor
            for _ in 0..<100 { _ = try listener.descriptor.with(Listener.self) { try $0.accept() == nil } }
            #expect(isOpen(listener.descriptor))
            #expect(try BorrowedDescriptor.standardError.duplicate().descriptor == next)
        }
    }
}
