import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import Synchronization
import SystemPackage

/// An array of numbers that BPF programs add to, as this process sees it.
@safe final class BPFNumbers: Sendable {
    // The compiler takes no pointer for Sendable: the kernel alone writes the numbers, they are read as atomics, and they
    // stay mapped until the last reference goes.
    nonisolated(unsafe) private let numbers: UnsafePointer<Atomic<UInt64>>
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
        unsafe numbers = UnsafePointer(mapped.assumingMemoryBound(to: Atomic<UInt64>.self))
    }

    deinit {
        unsafe munmap(UnsafeMutableRawPointer(mutating: numbers), bytes)
    }

    /// What programs name it by.
    var descriptor: CInt { map.descriptor.rawValue }

    /// The first of them.
    func first(_ count: Int) -> [UInt64] {
        (0..<min(count, self.count)).map { unsafe numbers[$0].load(ordering: .relaxed) }
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
