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

    @Test func oneInheritedDescriptorCanBeKept() throws {
        let low = try Pipe()
        let middle = try Pipe()
        let high = try Pipe()
        let (below, kept, above) = (low.reader, middle.reader, high.reader)
        let inside = try onOwnThread {
            try unshareDescriptorTable(closingInherited: true, except: kept)
            return [isOpen(below), isOpen(kept), isOpen(above), isOpen(.standardError)]
        }
        #expect(inside == [false, true, false, true])
        try low.write()
        try low.read()
        try high.write()
        try high.read()
    }

    @Test func inheritedDescriptorsCanBeKept() throws {
        let pipe = try Pipe()
        let reader = pipe.reader
        let inside = try onOwnThread {
            try unshareDescriptorTable()
            let kept = isOpen(reader)
            try FileDescriptor(rawValue: reader.rawValue).close()
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
