import Foundation
import LinuxDescriptors
import SystemPackage
import Testing

/// Runs a closure on a thread with a descriptor table of its own, in which nothing but 0, 1 and 2 is open: numbers are
/// handed out as in a program with one thread, and the table can be filled without harm to other tests.
public func withOwnDescriptorTable<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
) throws -> Value {
    try onOwnThread {
        try unshareDescriptorTable(closingInherited: true)
        return try body()
    }
}

/// Whether a thread can have a descriptor table of its own here: old container profiles forbid `unshare(2)`.
public let descriptorTablesAvailable: Bool = (try? withOwnDescriptorTable {}) != nil

/// Opens descriptors until the table of this thread is full, and returns them.
///
/// The limit is that of the whole process and may only grow: raise it first.
public func fillDescriptorTable() throws -> [FileDescriptor] {
    var filled: [FileDescriptor] = []
    while true {
        do {
            filled.append(try FileDescriptor.standardError.duplicate())
        } catch Errno.tooManyOpenFiles {
            return filled
        }
    }
}

/// Runs a closure on a thread with a descriptor table of its own in which every number is taken that
/// ``allowNoMoreDescriptors()`` leaves.
///
/// So nothing can be opened in this table any more while the rest of the program goes on: Dispatch ends the process if it
/// cannot open what it needs. For processes of their own, because the limit is the process's.
public func withTakenDescriptors<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
    _ = try DescriptorLimit.raise()
    return try withOwnDescriptorTable {
        while try FileDescriptor.standardError.duplicate().rawValue < takenDescriptors - 1 {}
        return try body()
    }
}

/// Lowers the limit to where ``withTakenDescriptors(_:)`` has its first free number; `DescriptorLimit.raise()` ends that.
public func allowNoMoreDescriptors() throws { try limitDescriptors(to: UInt(takenDescriptors)) }

/// How many descriptors all threads may have open from now on.
public func limitDescriptors(to soft: UInt) throws {
    var limit = rlimit(rlim_cur: soft, rlim_max: try DescriptorLimit.current().hard)
    guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { throw Errno(rawValue: errno) }
}

private let takenDescriptors: CInt = 200

/// Whether a descriptor number is open in the table of this thread.
public func isOpen(_ descriptor: BorrowedDescriptor) -> Bool {
    fcntl(descriptor.rawValue, F_GETFD) != -1
}

/// Whether filling a table is possible here and done within milliseconds.
public let descriptorTableCanBeFilled: Bool =
    descriptorTablesAvailable && (try? DescriptorLimit.current().hard < 200_000) == true
/// Why ``descriptorTablesAvailable`` is false.
public let whyNoTables: Comment = "a thread cannot have a descriptor table of its own here (unshare(2))"
/// Why ``descriptorTableCanBeFilled`` is false.
public let whyNoFilling: Comment = "the hard RLIMIT_NOFILE is 200 000 or more, or a thread cannot have its own table"
