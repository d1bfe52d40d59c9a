import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage

/// An array of numbers that BPF programs add to, as this process sees it.
@safe final class BPFNumbers: @unchecked Sendable {
    // Unchecked because of the pointer: the kernel writes the numbers, each a 64-bit word, and they are only read.
    private let numbers: UnsafePointer<UInt64>
    private let map: OwnedDescriptor
    let count: Int

    private var bytes: Int { count * MemoryLayout<UInt64>.stride }

    /// Needs Linux 5.5.
    init(count: Int) throws(Errno) {
        let map = try OwnedDescriptor.ofBPF { c_bpf_create_mapped_array(UInt32(count)) }
        let bytes = count * MemoryLayout<UInt64>.stride
        let mapped = unsafe mmap(nil, bytes, PROT_READ, MAP_SHARED, map.descriptor.rawValue, 0)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else { throw Errno(rawValue: errno) }
        self.map = map
        self.count = count
        unsafe numbers = UnsafePointer(mapped.assumingMemoryBound(to: UInt64.self))
    }

    deinit {
        unsafe munmap(UnsafeMutableRawPointer(mutating: numbers), bytes)
    }

    /// What programs name it by.
    var descriptor: CInt { map.descriptor.rawValue }

    /// The first of them.
    func first(_ count: Int) -> [UInt64] {
        unsafe Array(UnsafeBufferPointer(start: numbers, count: min(count, self.count)))
    }
}

extension OwnedDescriptor {
    /// The descriptor that a system call returns.
    static func ofCall(_ call: () -> CInt) throws(Errno) -> OwnedDescriptor {
        OwnedDescriptor(owning: FileDescriptor(rawValue: try systemCall(call)))
    }

    /// The descriptor of a map or a program that a system call makes, which the memory limit may be too low for.
    static func ofBPF(_ call: () -> CInt) throws(Errno) -> OwnedDescriptor {
        let number = try LockedMemoryLimit.liftedIfNeeded { () throws(Errno) in try systemCall(call) }
        return OwnedDescriptor(owning: FileDescriptor(rawValue: number))
    }

    /// Loads a BPF program.
    static func program(_ type: bpf_prog_type, _ code: [BPFInstruction]) throws(Errno) -> OwnedDescriptor {
        try ofBPF {
            unsafe code.withUnsafeBytes {
                unsafe c_bpf_load(type.rawValue, 0, $0.baseAddress, UInt32(code.count))
            }
        }
    }
}
