import LinuxDescriptors
import SystemPackage

/// A pipe: the simplest thing that becomes readable when told to.
public struct Pipe: ~Copyable, Sendable {
    private let owned: OwnedDescriptor
    private let writer: OwnedDescriptor

    /// Opens both ends.
    public init() throws {
        let ends = try FileDescriptor.pipe()
        owned = OwnedDescriptor(owning: ends.readEnd)
        writer = OwnedDescriptor(owning: ends.writeEnd)
    }

    /// The end that becomes readable.
    public var reader: BorrowedDescriptor { owned.descriptor }

    /// Makes the other end readable.
    public func write() throws {
        try FileDescriptor(rawValue: writer.descriptor.rawValue).writeAll([1])
    }

    /// Takes one byte.
    public func read() throws {
        var byte: UInt8 = 0
        let descriptor = FileDescriptor(rawValue: owned.descriptor.rawValue)
        _ = try withUnsafeMutableBytes(of: &byte) { try descriptor.read(into: $0) }
    }
}
