import CTestSupport
import Glibc
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

    @Test(arguments: [-1, CInt.min, CInt.max]) func onlyWhatIsOpenCanBeKept(_ number: CInt) throws {
        let (error, isIntact) = try onOwnThread {
            let pipe = try Pipe()
            let error = failure(of: { () throws(Errno) in
                try unshareDescriptorTable(closingInherited: true, except: BorrowedDescriptor(rawValue: number))
            })
            return (error, isOpen(pipe.reader))
        }
        #expect(error == .badFileDescriptor)
        #expect(isIntact)
    }

    /// What a kernel before 5.9 does, or a filter that is older: what is open is found in `/proc`, whatever the limit.
    @Test(arguments: [Errno.noFunction, .notPermitted]) func worksWithoutCloseRange(_ error: Errno) throws {
        let low = try Pipe()
        let middle = try Pipe()
        let high = try Pipe()
        let (below, kept, above) = (low.reader, middle.reader, high.reader)
        let inside = try onOwnThread {
            if c_forbid_system_call(C_SYS_CLOSE_RANGE, error.rawValue) != 0 { return [false, true, false, true, true] }
            try unshareDescriptorTable(closingInherited: true, except: kept)
            let open = [isOpen(below), isOpen(kept), isOpen(above), isOpen(.standardError)]
            // Takes the lowest free number, which may be that of one of the pipes.
            let first = try BorrowedDescriptor.standardError.duplicate()
            return open + [first.descriptor.rawValue == 3]
        }
        #expect(inside == [false, true, false, true, kept.rawValue != 3])
        #expect(isOpen(below) && isOpen(above))
    }

    @Test func refusalOfBothCallsIsReported() throws {
        let pipe = try Pipe()
        let reader = pipe.reader
        let (error, isIntact) = try onOwnThread {
            for call in [C_SYS_CLOSE_RANGE, C_SYS_UNSHARE] where c_forbid_system_call(call, EPERM) != 0 {
                return (Errno?.some(.notPermitted), true)
            }
            let error = failure(of: { () throws(Errno) in try unshareDescriptorTable(closingInherited: true) })
            return (error, isOpen(reader))
        }
        #expect(error == .notPermitted)
        #expect(isIntact)
    }
}
