import CBenchExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// On loopback a connection arrives on the processor of the client, so a client that is bound to a processor decides
/// which listener the programs pick.
@Suite(.enabled(if: processors.count > 1, "with one processor the programs have no choice"))
struct ReuseportProgramTests {
    @Test(arguments: Program.allCases)
    func listenerOfTheProcessorIsPicked(_ program: Program) throws {
        guard let loaded = try program.load(listeners: processors.count) else { return }
        let group = try Group(processors.count)
        try loaded.attach(to: group.listeners[0].descriptor)
        for processor in processors {
            try connectionsFrom(processor, 8, to: group.address)
            #expect(try group.accepted(8) == [processor: 8])
        }
        #expect(try loaded.fallbacks() == 0)
    }

    @Test(arguments: Program.allCases)
    func processorWithoutAListenerLosesNothing(_ program: Program) throws {
        guard let loaded = try program.load(listeners: 1) else { return }
        let group = try Group(1)
        try loaded.attach(to: group.listeners[0].descriptor)
        try connectionsFrom(processors[1], 8, to: group.address)
        #expect(try group.accepted(8) == [0: 8])
        // At least: a packet that comes after its connection is gone is looked up like a first one.
        #expect(try loaded.fallbacks() >= (program == .extended ? 8 : 0))
    }

    @Test(.enabled(if: isAtLeast(6, 2), "before Linux 6.2 a group goes by its hash alone"))
    func listenerOfTheProcessorIsPickedWithoutAProgram() throws {
        let group = try Group(processors.count, incoming: true)
        for processor in processors {
            try connectionsFrom(processor, 64, to: group.address)
            #expect(try group.accepted(64) == [processor: 64])
        }
    }

    @Test func hashSpreadsConnectionsAndLosesNone() throws {
        let group = try Group(2)
        try connectionsFrom(processors[0], 64, to: group.address)
        // All 64 hashes on one side would be one case in 2^63.
        #expect(try group.accepted(64).count == 2)
    }

    @Test func detachingGivesTheChoiceBack() throws {
        let group = try Group(2)
        #expect(throws: Errno.noSuchFileOrDirectory) { try detachReuseportProgram(from: group.listeners[0].descriptor) }
        try attachClassicReuseportProgram(to: group.listeners[0].descriptor)
        try detachReuseportProgram(from: group.listeners[0].descriptor)
        try connectionsFrom(processors[0], 64, to: group.address)
        // All 64 hashes on one side would be one case in 2^63.
        #expect(try group.accepted(64).count == 2)
    }

    @Test func listenerWithoutReusePortIsRefused() throws {
        let listener = try loopbackListener()
        #expect(throws: Errno.invalidArgument) { try attachClassicReuseportProgram(to: listener.descriptor) }
    }
}

/// Whether the running kernel is this release or a later one.
private func isAtLeast(_ major: Int, _ minor: Int) -> Bool {
    var name = utsname()
    guard uname(&name) == 0 else { return false }
    let release = withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    return !numbers.lexicographicallyPrecedes([major, minor])
}

/// The two ways to say the same.
enum Program: CaseIterable {
    case classic, extended

    /// Loads the program; nil, and a line that says why, where the kernel does not let us.
    func load(listeners: Int) throws -> Loaded? {
        guard self == .extended else { return Loaded(program: nil) }
        do {
            return Loaded(program: Shared(try ReuseportProgram.byProcessor(listeners: listeners)))
        } catch .notPermitted {
            print("skipped: eBPF programs need CAP_BPF here (kernel.unprivileged_bpf_disabled)")
            return nil
        } catch .noFunction {
            print("skipped: this kernel has no bpf(2)")
            return nil
        }
    }

    final class Shared {
        let program: ReuseportProgram

        init(_ program: consuming ReuseportProgram) { self.program = program }
    }

    struct Loaded {
        let program: Shared?

        func attach(to listener: BorrowedDescriptor) throws {
            guard let program else { return try attachClassicReuseportProgram(to: listener) }
            try program.program.attach(to: listener)
        }

        func fallbacks() throws -> UInt64 { try program?.program.fallbacks ?? 0 }
    }
}

/// Listeners on one port.
private struct Group {
    let address: SocketAddress
    let listeners: [Member]

    final class Member {
        let listener: Listener
        var descriptor: BorrowedDescriptor { listener.descriptor }

        init(_ listener: consuming Listener) { self.listener = listener }
    }

    /// - Parameter incoming: whether listener `n` is that of processor `n` (`SO_INCOMING_CPU`).
    init(_ count: Int, incoming: Bool = false) throws {
        func options(_ number: Int) -> [SocketOption] {
            [.reusePort, .resetOnClose] + (incoming ? [.incomingProcessor(number)] : [])
        }
        let first = Member(try loopbackListener(options(0)))
        address = try first.listener.address
        var listeners = [first]
        while listeners.count < count {
            listeners.append(Member(try Listener(address, options(listeners.count))))
        }
        self.listeners = listeners
    }

    /// Which listener got how many of so many connections; those with none are left out.
    func accepted(_ total: Int) throws -> [Int: Int] {
        var counts: [Int: Int] = [:]
        for _ in 0..<patienceMilliseconds {
            for (index, member) in listeners.enumerated() {
                while try member.listener.accept() != nil { counts[index, default: 0] += 1 }
            }
            if counts.values.reduce(0, +) >= total { return counts }
            // Which listener the rest comes to is the question, so none of them can be waited for.
            usleep(1000)
        }
        throw PatienceIsOver()
    }
}

/// The processors that this process may use, if they are the first ones; a group has a listener for each.
private let processors: [Int] = {
    var mask = [UInt](repeating: 0, count: 128)
    guard c_get_thread_affinity(&mask, 1024) > 0 else { return [] }
    let allowed = (0..<64).filter { mask[0] >> $0 & 1 == 1 }
    return allowed == Array(0..<allowed.count) ? Array(allowed.prefix(4)) : []
}()

/// Connects from a processor.
private func connectionsFrom(_ processor: Int, _ count: Int, to address: SocketAddress) throws {
    try onOwnThread {
        var mask: UInt = 1 << processor
        if c_set_thread_affinity(&mask, 8) != 0 { throw Errno.invalidArgument }
        for _ in 0..<count { try StreamSocket(for: address, .blocking).connect(to: address).close() }
    }
}
