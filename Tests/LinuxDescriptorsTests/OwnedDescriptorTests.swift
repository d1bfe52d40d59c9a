import Glibc
import LinuxDescriptors
import SystemPackage
import TestSupport
import Testing

/// In a descriptor table of its own a freed number is handed out again at once, so a second close would hit whatever
/// took its place.
@Suite(.enabled(if: descriptorTablesAvailable, whyNoTables))
struct OwnedDescriptorTests {
    @Test func endOfLifeClosesOnce() throws {
        let (inside, outside) = try withOwnDescriptorTable {
            let number = try open()
            do {
                let owned = OwnedDescriptor(owning: number)
                #expect(isOpen(owned.descriptor))
            }
            return (number.rawValue, try open().rawValue)
        }
        #expect(inside == outside)
    }

    @Test func closeClosesOnce() throws {
        let survives = try withOwnDescriptorTable {
            let owned = OwnedDescriptor(owning: try open())
            let number = owned.descriptor
            try owned.close()
            let reused = try open()
            guard BorrowedDescriptor(reused) == number else { return false }
            return isOpen(number)
        }
        #expect(survives)
    }

    @Test func closeReportsWhatTheKernelSays() throws {
        let error = try withOwnDescriptorTable {
            failure(of: { () throws(Errno) in try OwnedDescriptor(owning: FileDescriptor(rawValue: 100)).close() })
        }
        #expect(error == .badFileDescriptor)
    }

    @Test func releaseLeavesItOpen() throws {
        let stillOpen = try withOwnDescriptorTable {
            let released: FileDescriptor
            do {
                let owned = OwnedDescriptor(owning: try open())
                released = owned.release()
            }
            return isOpen(BorrowedDescriptor(released))
        }
        #expect(stillOpen)
    }

    @Test func movingIntoAFunctionMovesTheClose() throws {
        let closed = try withOwnDescriptorTable {
            let owned = OwnedDescriptor(owning: try open())
            let number = owned.descriptor
            consume(owned)
            return !isOpen(number)
        }
        #expect(closed)
    }

    @Test func duplicateOutlivesTheOriginal() throws {
        try withOwnDescriptorTable {
            let ends = try FileDescriptor.pipe()
            let writer = OwnedDescriptor(owning: ends.writeEnd)
            let copy = try writer.duplicate()
            #expect(copy.descriptor != writer.descriptor)
            #expect(fcntl(copy.descriptor.rawValue, F_GETFD) & FD_CLOEXEC == FD_CLOEXEC)
            try writer.close()
            #expect(try FileDescriptor(rawValue: copy.descriptor.rawValue).writeAll([7]) == 1)
            try copy.close()
            var bytes: [UInt8] = [0, 0]
            #expect(try bytes.withUnsafeMutableBytes { try ends.readEnd.read(into: $0) } == 1)
            #expect(try bytes.withUnsafeMutableBytes { try ends.readEnd.read(into: $0) } == 0)
        }
    }

    @Test func duplicateOfAClosedNumberFails() throws {
        let error = try withOwnDescriptorTable {
            let owned = OwnedDescriptor(owning: FileDescriptor(rawValue: 100))
            return failure(of: { () throws(Errno) in try owned.duplicate() })
        }
        #expect(error == .badFileDescriptor)
    }
}

/// The result of a call that failed is no descriptor, and must not come to own one.
@Suite struct NegativeDescriptorTests {
    @Test func resultsOfFailedCallsAreRefused() async {
        await #expect(processExitsWith: .failure) { _ = OwnedDescriptor(owning: FileDescriptor(rawValue: -1)) }
        await #expect(processExitsWith: .failure) { _ = OwnedDescriptor(owning: FileDescriptor(rawValue: -18)) }
        await #expect(processExitsWith: .failure) { _ = OwnedDescriptor(owning: FileDescriptor(rawValue: .min)) }
        // So that the three above fail for their numbers: closing what is not open is no reason to end.
        await #expect(processExitsWith: .success) { _ = OwnedDescriptor(owning: FileDescriptor(rawValue: .max)) }
    }
}

private func open() throws -> FileDescriptor {
    try FileDescriptor.open("/dev/null", .readOnly)
}

private func consume(_ descriptor: consuming OwnedDescriptor) {}
