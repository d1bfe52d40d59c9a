import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite struct FileIdentityTests {
    @Test func duplicatesAreTheSameFile() throws {
        let listener = try loopbackListener()
        let copy = try listener.descriptor.duplicate()
        let identity = try FileIdentity(of: listener.descriptor)
        #expect(try FileIdentity(of: copy.descriptor) == identity)
        #expect(!identity.isShared)
        try listener.close()
        #expect(try FileIdentity(of: copy.descriptor) == identity)
    }

    @Test func socketsAndPipesDiffer() throws {
        let listener = try loopbackListener()
        let other = try loopbackListener()
        let pipe = try Pipe()
        let identities = try [listener.descriptor, other.descriptor, pipe.reader].map { try FileIdentity(of: $0) }
        #expect(Set(identities).count == 3)
        #expect(identities.allSatisfy { !$0.isShared })
    }

    @Test func folderAndFileAreTheirOwn() throws {
        let folder = OwnedDescriptor(owning: try FileDescriptor.open("/proc/self", .readOnly))
        let file = OwnedDescriptor(owning: try FileDescriptor.open("/dev/null", .readOnly))
        #expect(try !FileIdentity(of: folder.descriptor).isShared)
        #expect(try !FileIdentity(of: file.descriptor).isShared)
    }

    /// Two timers cannot be told apart, and the type says so.
    @Test func anonymousFilesShareOne() throws {
        let first = OwnedDescriptor(owning: FileDescriptor(rawValue: try systemCall { inotify_init1(0) }))
        let second = OwnedDescriptor(owning: FileDescriptor(rawValue: try systemCall { inotify_init1(0) }))
        #expect(try FileIdentity(of: first.descriptor).isShared)
        #expect(try FileIdentity(of: first.descriptor) == FileIdentity(of: second.descriptor))
    }

    @Test(.enabled(if: descriptorTablesAvailable, whyNoTables))
    func reusedNumberIsAnotherFile() throws {
        try withOwnDescriptorTable {
            let first = try loopbackListener()
            let number = first.descriptor
            let identity = try FileIdentity(of: number)
            try first.close()
            #expect(throws: Errno.badFileDescriptor) { try FileIdentity(of: number) }
            let second = try loopbackListener()
            #expect(second.descriptor == number)
            #expect(try FileIdentity(of: number) != identity)
        }
    }

    @Test(arguments: [-1, CInt.min, CInt.max]) func numberThatIsNotOpenHasNone(_ number: CInt) {
        #expect(throws: Errno.badFileDescriptor) { try FileIdentity(of: BorrowedDescriptor(rawValue: number)) }
    }
}
