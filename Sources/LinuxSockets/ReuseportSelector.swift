import CSocketExtras
import Glibc
public import LinuxDescriptors
public import SystemPackage

/// An eBPF program that spreads the connections of a `SO_REUSEPORT` group over some of its listeners, which can be
/// changed at any time, and gives them also what waits at a listener that is closed (`BPF_PROG_TYPE_SK_REUSEPORT` with
/// `BPF_SK_REUSEPORT_SELECT_OR_MIGRATE`, Linux 5.14; `bpf-helpers(7)`, `bpf_sk_select_reuseport`).
///
/// With it a listener can be taken out of service without losing a connection: choose the others, then close it. What
/// waits in its queue, and handshakes under way, go to one of those chosen, whatever `net.ipv4.tcp_migrate_req` says.
/// Among the chosen the kernel's hash of the addresses decides. While none is chosen, or the one that the hash finds is
/// closed, it decides among all listeners of the group, for new connections and for what waits at a closed one.
public struct ReuseportSelector: ~Copyable, Sendable {
    private let program: OwnedDescriptor
    /// By place: the listener.
    private let listeners: OwnedDescriptor
    /// The number of chosen places, then the places.
    private let choice: OwnedDescriptor
    private let capacity: Int

    /// The most listeners that a `SO_REUSEPORT` group can have: the kernel counts them in 16 bits.
    public static var maximumCapacity: Int { Int(UInt16.max) }

    /// Assembles and loads the program.
    ///
    /// - Parameter capacity: how many listeners it can know, from 1 to ``maximumCapacity``.
    /// - Throws: `EPERM` without `CAP_BPF` and `CAP_NET_ADMIN`, `EINVAL` before Linux 5.14, `ENOSYS`; `EINVAL` and `E2BIG`
    ///   for a capacity below or above that.
    public init(capacity: Int) throws(Errno) {
        guard capacity > 0 else { throw .invalidArgument }
        guard capacity <= Self.maximumCapacity else { throw .argListTooLong }
        let count = UInt32(capacity)
        let array = try systemCall { c_bpf_create_socket_array(count) }
        let listeners = OwnedDescriptor(owning: FileDescriptor(rawValue: array))
        let table = try systemCall { c_bpf_create_array(4, count + 1) }
        let choice = OwnedDescriptor(owning: FileDescriptor(rawValue: table))
        let code = BPFInstruction.selectOrMigrate(choice: table, listeners: array)
        let number = unsafe code.withUnsafeBytes {
            unsafe c_bpf_load(
                BPF_PROG_TYPE_SK_REUSEPORT.rawValue, C_BPF_SELECT_OR_MIGRATE, $0.baseAddress, UInt32(code.count))
        }
        if number < 0 { throw Errno(rawValue: errno) }
        program = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
        self.listeners = listeners
        self.choice = choice
        self.capacity = capacity
    }

    /// Lets the program pick for the group that this listener belongs to.
    ///
    /// - Throws: `EINVAL` for a listener without `SO_REUSEPORT`.
    public func attach(to listener: BorrowedDescriptor) throws(Errno) {
        try setOption(listener, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, program.descriptor.rawValue)
    }

    /// Makes a listening socket of the group known under a place, which it has until it is closed.
    ///
    /// - Parameters:
    ///   - listener: a listener of the group, borrowed.
    ///   - place: from 0 to the capacity, which is none any more.
    /// - Throws: `E2BIG` if there is no such place, `EBUSY` if the listener has one already, `EINVAL` if it does not
    ///   listen or was bound without `SO_REUSEPORT`.
    public func insert(_ listener: BorrowedDescriptor, at place: Int) throws(Errno) {
        var number = listener.rawValue
        let key = try key(of: place)
        let map = listeners.descriptor.rawValue
        _ = try systemCall { unsafe c_bpf_update(map, key, &number) }
    }

    /// Spreads what arrives from now on over the listeners at these places.
    ///
    /// A connection that arrives meanwhile goes to one chosen before or now.
    ///
    /// - Throws: `E2BIG` if these are more than the capacity, or one of them is no place. Nothing has changed then.
    public func choose(_ places: [Int]) throws(Errno) {
        guard places.count <= capacity else { throw .argListTooLong }
        for place in places { _ = try key(of: place) }
        for (index, place) in places.enumerated() { try store(key(of: place), at: index + 1) }
        try store(UInt32(places.count), at: 0)
    }

    private func key(of place: Int) throws(Errno) -> UInt32 {
        guard place >= 0, place < capacity else { throw .argListTooLong }
        return UInt32(place)
    }

    private func store(_ value: UInt32, at index: Int) throws(Errno) {
        var value = value
        let map = choice.descriptor.rawValue
        _ = try systemCall { unsafe c_bpf_update(map, UInt32(index), &value) }
    }
}

extension BPFInstruction {
    /// Selects `listeners[choice[1 + hash % choice[0]]]`; selects nothing where one of these is absent. It runs for a
    /// new connection and for one that migrates alike, and always returns `SK_PASS`.
    static func selectOrMigrate(choice: Int32, listeners: Int32) -> [BPFInstruction] {
        [
            BPFInstruction(0xbf, to: 6, from: 1),  // r6 = the context
            BPFInstruction(0x62, to: 10, offset: -4, 0),  // *(u32 *)(r10 - 4) = 0, the key
            BPFInstruction(0xbf, to: 2, from: 10),  // r2 = r10
            BPFInstruction(0x07, to: 2, -4),  // r2 += -4
            BPFInstruction(0x18, to: 1, from: 1, choice),  // r1 = choice, in two instructions
            BPFInstruction(0x00),
            BPFInstruction(0x85, 1),  // call bpf_map_lookup_elem
            BPFInstruction(0x15, to: 0, offset: 21, 0),  // if r0 == 0, pass
            BPFInstruction(0x61, to: 3, from: 0),  // r3 = *(u32 *)r0, the count
            BPFInstruction(0x15, to: 3, offset: 19, 0),  // if r3 == 0, pass
            BPFInstruction(0x61, to: 4, from: 6, offset: 32),  // r4 = context->hash
            BPFInstruction(0x9c, to: 4, from: 3),  // w4 %= w3
            BPFInstruction(0x07, to: 4, 1),  // r4 += 1
            BPFInstruction(0x63, to: 10, from: 4, offset: -4),  // *(u32 *)(r10 - 4) = r4
            BPFInstruction(0xbf, to: 2, from: 10),  // r2 = r10
            BPFInstruction(0x07, to: 2, -4),  // r2 += -4
            BPFInstruction(0x18, to: 1, from: 1, choice),  // r1 = choice, in two instructions
            BPFInstruction(0x00),
            BPFInstruction(0x85, 1),  // call bpf_map_lookup_elem
            BPFInstruction(0x15, to: 0, offset: 9, 0),  // if r0 == 0, pass
            BPFInstruction(0x61, to: 4, from: 0),  // r4 = *(u32 *)r0, the place
            BPFInstruction(0x63, to: 10, from: 4, offset: -4),  // *(u32 *)(r10 - 4) = r4
            BPFInstruction(0xbf, to: 1, from: 6),  // r1 = the context
            BPFInstruction(0x18, to: 2, from: 1, listeners),  // r2 = listeners, in two instructions
            BPFInstruction(0x00),
            BPFInstruction(0xbf, to: 3, from: 10),  // r3 = r10
            BPFInstruction(0x07, to: 3, -4),  // r3 += -4
            BPFInstruction(0xb7, to: 4, 0),  // r4 = 0, no flags
            BPFInstruction(0x85, 82),  // call bpf_sk_select_reuseport
            BPFInstruction(0xb7, to: 0, 1),  // r0 = SK_PASS
            BPFInstruction(0x95),  // exit
        ]
    }
}
