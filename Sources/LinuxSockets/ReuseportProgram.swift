import CSocketExtras
import Glibc
public import LinuxDescriptors
public import SystemPackage

/// An eBPF program that picks the listener of a `SO_REUSEPORT` group for each connection: listener `n` for what
/// arrives on processor `n` (`SO_ATTACH_REUSEPORT_EBPF`, Linux 4.6 for TCP; `bpf(2)`).
///
/// Listeners are numbered in the order in which they began to listen (`listen(2)`). For a processor without a listener
/// the program's answer is out of range, the kernel picks by its hash, and the program counts that.
public struct ReuseportProgram: ~Copyable, Sendable {
    private let program: OwnedDescriptor
    private let fallbackCounter: OwnedDescriptor

    /// Assembles and loads the program for a group of so many listeners.
    ///
    /// - Throws: `EPERM` without `CAP_BPF` where `kernel.unprivileged_bpf_disabled` is set, `ENOSYS`, and `EINVAL` when
    ///   the kernel's verifier refuses it, or for a negative number of listeners.
    public static func byProcessor(listeners: Int) throws(Errno) -> ReuseportProgram {
        // The program compares without signs: no processor would be counted as one without a listener.
        guard listeners >= 0 else { throw .invalidArgument }
        let map = try systemCall { c_bpf_create_array(8, 1) }
        let counter = OwnedDescriptor(owning: FileDescriptor(rawValue: map))
        let code = BPFInstruction.steerByProcessor(listeners: Int32(clamping: listeners), counterMap: map)
        let number = unsafe code.withUnsafeBytes {
            unsafe c_bpf_load(BPF_PROG_TYPE_SOCKET_FILTER.rawValue, 0, $0.baseAddress, UInt32(code.count))
        }
        if number < 0 { throw Errno(rawValue: errno) }
        return ReuseportProgram(
            program: OwnedDescriptor(owning: FileDescriptor(rawValue: number)), fallbackCounter: counter)
    }

    private init(program: consuming OwnedDescriptor, fallbackCounter: consuming OwnedDescriptor) {
        self.program = program
        self.fallbackCounter = fallbackCounter
    }

    /// Lets the program pick for the group that this listener belongs to.
    ///
    /// - Throws: `EINVAL` for a listener without `SO_REUSEPORT`; `ENOPROTOOPT` before Linux 4.5.
    public func attach(to listener: BorrowedDescriptor) throws(Errno) {
        try setOption(listener, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, program.descriptor.rawValue)
    }

    /// How often the kernel had to pick because there was no listener for the processor.
    public var fallbacks: UInt64 {
        get throws(Errno) {
            var count: UInt64 = 0
            let map = fallbackCounter.descriptor.rawValue
            _ = try systemCall { unsafe c_bpf_look_up(map, 0, &count) }
            return count
        }
    }
}

/// Lets a classic BPF program do the same without any privilege: listener `n` for what arrives on processor `n`, the
/// kernel's hash for processors without a listener (`SO_ATTACH_REUSEPORT_CBPF`, Linux 4.6 for TCP).
///
/// - Throws: `EINVAL` for a listener without `SO_REUSEPORT`; `ENOPROTOOPT` before Linux 4.5.
public func attachClassicReuseportProgram(to listener: BorrowedDescriptor) throws(Errno) {
    let processor = UInt32(bitPattern: SKF_AD_OFF + SKF_AD_CPU)
    try attachClassic(
        [
            sock_filter(code: UInt16(BPF_LD | BPF_W | BPF_ABS), jt: 0, jf: 0, k: processor),
            sock_filter(code: UInt16(BPF_RET | BPF_A), jt: 0, jf: 0, k: 0),
        ], to: listener)
}

/// Sends every new connection of the group to one of its listeners, without any privilege
/// (`SO_ATTACH_REUSEPORT_CBPF`, Linux 4.6 for TCP). Connections that wait at others stay there.
///
/// - Parameters:
///   - listener: any of the group, borrowed.
///   - index: the listener's number in the order in which the group began to listen. The kernel fills the number of a
///     listener that is closed with the last one; a number without a listener leaves the choice to its hash.
/// - Throws: `EINVAL` for a negative number, and for a listener without `SO_REUSEPORT`; `ENOPROTOOPT` before Linux 4.5.
public func attachClassicReuseportProgram(to listener: BorrowedDescriptor, selecting index: Int) throws(Errno) {
    guard index >= 0 else { throw .invalidArgument }
    // No group has as many listeners as fit a UInt32, so what is cut off names none either.
    let number = UInt32(clamping: index)
    try attachClassic([sock_filter(code: UInt16(BPF_RET | BPF_K), jt: 0, jf: 0, k: number)], to: listener)
}

private func attachClassic(_ instructions: [sock_filter], to listener: BorrowedDescriptor) throws(Errno) {
    var code = instructions
    let count = UInt16(code.count)
    let result = unsafe code.withUnsafeMutableBufferPointer {
        var program = unsafe sock_fprog(len: count, filter: $0.baseAddress)
        let size = unsafe socklen_t(MemoryLayout<sock_fprog>.size)
        return unsafe setsockopt(listener.rawValue, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, size)
    }
    if result != 0 { throw Errno(rawValue: errno) }
}

/// Gives the choice back to the kernel's hash (`SO_DETACH_REUSEPORT_BPF`, Linux 5.3).
///
/// - Throws: `ENOENT` when no program is attached; `ENOPROTOOPT` before Linux 5.3.
public func detachReuseportProgram(from listener: BorrowedDescriptor) throws(Errno) {
    try setOption(listener, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, CInt(0))
}

extension BPFInstruction {
    /// Returns the processor's number if it is below `listeners`; else counts in the map and returns -1.
    static func steerByProcessor(listeners: Int32, counterMap map: Int32) -> [BPFInstruction] {
        [
            BPFInstruction(0x85, 8),  // call bpf_get_smp_processor_id
            BPFInstruction(0xa5, to: 0, offset: 10, listeners),  // if r0 < listeners, exit
            BPFInstruction(0x62, to: 10, offset: -4, 0),  // *(u32 *)(r10 - 4) = 0, the key
            BPFInstruction(0xbf, to: 2, from: 10),  // r2 = r10
            BPFInstruction(0x07, to: 2, -4),  // r2 += -4
            BPFInstruction(0x18, to: 1, from: 1, map),  // r1 = map, in two instructions
            BPFInstruction(0x00),
            BPFInstruction(0x85, 1),  // call bpf_map_lookup_elem
            BPFInstruction(0x15, to: 0, offset: 2, 0),  // if r0 == 0, skip the count
            BPFInstruction(0xb7, to: 1, 1),  // r1 = 1
            BPFInstruction(0xdb, to: 0, from: 1),  // lock *(u64 *)r0 += r1
            BPFInstruction(0xb7, to: 0, -1),  // r0 = -1
            BPFInstruction(0x95),  // exit
        ]
    }
}
