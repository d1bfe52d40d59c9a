import LinuxDescriptors
import SystemPackage
import TestSupport
import Testing

@Suite(.enabled(if: descriptorTablesAvailable, whyNoTables)) struct DescriptorTableTests {
    @Test func inheritedDescriptorsAreGoneFromTheNewTableOnly() throws {
        let pipe = try Pipe()
        let reader = pipe.reader
        let inside = try onOwnThread {
            let before = isOpen(reader)
            try unshareDescriptorTable(closingInherited: true)
            return [before, isOpen(reader), isOpen(.standardError)]
        }
        #expect(inside == [true, false, true])
        try pipe.write()
        try pipe.read()
    }

    @Test func inheritedDescriptorsCanBeKept() throws {
        let pipe = try Pipe()
        let reader = pipe.reader
        let inside = try onOwnThread {
            try unshareDescriptorTable()
            let kept = isOpen(reader)
            try reader.close()
            return [kept, isOpen(reader)]
        }
        #expect(inside == [true, false])
        try pipe.write()
        try pipe.read()
    }

    @Test func numbersAreHandedOutFromTheStart() throws {
        let first = try withOwnDescriptorTable { try FileDescriptor.open("/dev/null", .readOnly).rawValue }
        #expect(first == 3)
    }
}
