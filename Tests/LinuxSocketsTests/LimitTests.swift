import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// Numbers that do not fit what C takes: cut where the kernel cuts anyway, refused elsewhere, wrapped never.
@Suite struct LimitTests {
    static let large = [Int(CInt.max), 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 32) + 5, .max]
    static let negative = [-1, -5, -(1 << 31), -(1 << 32) + 5, .min]

    // MARK: Backlog

    @Test func backlogIsWhatWasAskedFor() throws {
        for backlog in [0, 1, 5] { #expect(try self.backlog(backlog) == backlog) }
    }

    @Test(arguments: large) func largeBacklogIsTheLargestThatTheKernelAllows(_ backlog: Int) throws {
        #expect(try self.backlog(backlog) == self.backlog(Int(CInt.max)))
        #expect(try self.backlog(backlog) > 5)
    }

    @Test(arguments: negative) func negativeBacklogIsRefused(_ backlog: Int) throws {
        #expect(throws: Errno.invalidArgument) { try Listener(.loopback(), backlog: backlog).close() }
    }

    /// What the kernel made of it: `tcpi_sacked` of a listener (`tcp_get_info`).
    private func backlog(_ backlog: Int) throws -> Int {
        let listener = try Listener(.loopback(), backlog: backlog)
        var info = tcp_info()
        var length = socklen_t(MemoryLayout<tcp_info>.size)
        let result = getsockopt(listener.descriptor.rawValue, CInt(IPPROTO_TCP), TCP_INFO, &info, &length)
        if result != 0 { throw Errno(rawValue: errno) }
        return Int(info.tcpi_sacked)
    }

    // MARK: Buffers

    @Test(arguments: large) func largeBufferIsTheLargestThatTheKernelAllows(_ bytes: Int) throws {
        #expect(try size(.receiveBuffer(bytes: bytes)) == size(.receiveBuffer(bytes: Int(CInt.max))))
        #expect(try size(.sendBuffer(bytes: bytes)) == size(.sendBuffer(bytes: Int(CInt.max))))
        #expect(try size(.receiveBuffer(bytes: bytes)) > size(.receiveBuffer(bytes: 8192)))
    }

    @Test func smallBufferIsTheSmallestThatTheKernelAllows() throws {
        #expect(try size(.receiveBuffer(bytes: 0)) == size(.receiveBuffer(bytes: 1)))
        #expect(try size(.sendBuffer(bytes: 0)) == size(.sendBuffer(bytes: 1)))
    }

    @Test(arguments: negative) func negativeBufferIsRefused(_ bytes: Int) throws {
        let socket = try StreamSocket(for: .loopback(), .blocking)
        #expect(throws: Errno.invalidArgument) {
            try setSocketOption(.receiveBuffer(bytes: bytes), on: socket.descriptor)
        }
        #expect(throws: Errno.invalidArgument) { try setSocketOption(.sendBuffer(bytes: bytes), on: socket.descriptor) }
    }

    private func size(_ option: SocketOption) throws -> CInt {
        let socket = try StreamSocket(for: .loopback(), .blocking)
        try setSocketOption(option, on: socket.descriptor)
        var name = SO_SNDBUF
        if case .receiveBuffer = option { name = SO_RCVBUF }
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        if getsockopt(socket.descriptor.rawValue, SOL_SOCKET, name, &value, &length) != 0 {
            throw Errno(rawValue: errno)
        }
        return value
    }

    // MARK: Reuseport

    @Test(arguments: negative) func negativeListenerIsRefused(_ index: Int) throws {
        let listener = try loopbackListener([.reusePort])
        #expect(throws: Errno.invalidArgument) {
            try attachClassicReuseportProgram(to: listener.descriptor, selecting: index)
        }
        #expect(throws: Errno.invalidArgument) { _ = try ReuseportProgram.byProcessor(listeners: index) }
    }

    /// Nobody has these numbers, so the kernel's hash decides, and no number may turn into one that somebody has.
    @Test(arguments: large) func largeListenerLeavesTheChoiceToTheHash(_ index: Int) throws {
        let listener = try loopbackListener([.reusePort])
        let other = try Listener(listener.address, [.reusePort])
        try attachClassicReuseportProgram(to: listener.descriptor, selecting: index)
        for _ in 0..<64 { try connect(to: listener).close() }
        // All 64 hashes on one side would be one case in 2^63.
        try waitUntilReadable(listener.descriptor)
        try waitUntilReadable(other.descriptor)
    }

    @Test(.enabled(if: canLoadPrograms, whyNoPrograms))
    func selectorHasPlacesFromZeroToItsCapacity() throws {
        let listener = try loopbackListener([.reusePort])
        let selector = try ReuseportSelector(capacity: 2)
        for place in Self.large + Self.negative + [2, 3] {
            #expect(throws: Errno.argListTooLong) { try selector.insert(listener.descriptor, at: place) }
            #expect(throws: Errno.argListTooLong) { try selector.choose([0, place]) }
            #expect(throws: Errno.argListTooLong) { try selector.choose([place]) }
        }
        // None of them took a place.
        try selector.insert(listener.descriptor, at: 0)
        let other = try loopbackListener([.reusePort])
        try selector.insert(other.descriptor, at: 1)
        try selector.choose([0, 1])
    }

    @Test(.enabled(if: canLoadPrograms, whyNoPrograms)) func refusedChoiceChangesNothing() throws {
        let one = try loopbackListener([.reusePort])
        let two = try Listener(one.address, [.reusePort])
        let selector = try ReuseportSelector(capacity: 2)
        try selector.insert(one.descriptor, at: 0)
        try selector.insert(two.descriptor, at: 1)
        try selector.choose([1])
        try selector.attach(to: one.descriptor)
        #expect(throws: Errno.argListTooLong) { try selector.choose([0, -1]) }
        for _ in 0..<32 { try connect(to: one).close() }
        try waitUntilReadable(two.descriptor)
        #expect(try one.accept() == nil)
    }

    @Test(.enabled(if: canLoadPrograms, whyNoPrograms))
    func selectorHoldsNoMoreThanAGroupCanHave() throws {
        for capacity in Self.negative + [0] {
            #expect(throws: Errno.invalidArgument) { _ = try ReuseportSelector(capacity: capacity) }
        }
        for capacity in Self.large + [ReuseportSelector.maximumCapacity + 1] {
            #expect(throws: Errno.argListTooLong) { _ = try ReuseportSelector(capacity: capacity) }
        }
        let largest = try ReuseportSelector(capacity: ReuseportSelector.maximumCapacity)
        let listener = try loopbackListener([.reusePort])
        try largest.insert(listener.descriptor, at: ReuseportSelector.maximumCapacity - 1)
        try largest.choose(Array(repeating: ReuseportSelector.maximumCapacity - 1, count: 3))
    }

    /// The program compares with 32 bits: a larger number must not become a small one.
    @Test(.enabled(if: canLoadPrograms, whyNoPrograms), arguments: large + [0, 1])
    func programTakesAnyNumberOfListeners(_ listeners: Int) throws {
        let program = try ReuseportProgram.byProcessor(listeners: listeners)
        #expect(try program.fallbacks == 0)
        let listener = try loopbackListener([.reusePort])
        try program.attach(to: listener.descriptor)
        for _ in 0..<8 { try connect(to: listener).close() }
        try waitUntilReadable(listener.descriptor)
        #expect(try program.fallbacks > 0 || listeners > 0)
        if listeners > 1 { #expect(try program.fallbacks == 0) }
    }
}
