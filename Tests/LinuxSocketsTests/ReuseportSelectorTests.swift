import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import Testing

/// Two listeners on one port, and connections to them.
private struct Group: ~Copyable {
    let zero: Listener
    let one: Listener
    let address: SocketAddress

    init() throws(Errno) {
        let zero = try Listener(.loopback(), [.reuseAddress, .reusePort])
        let address = try zero.address
        let one = try Listener(address, [.reuseAddress, .reusePort])
        self.zero = zero
        self.one = one
        self.address = address
    }

    /// Connects clients that do not stay, and says how many came to either listener.
    func arrivals(of clients: Int = 40) throws -> [Int] {
        for _ in 0..<clients {
            let socket = try StreamSocket(for: address, .blocking)
            try setSocketOption(.resetOnClose, on: socket.descriptor)
            let client = try socket.connect(to: address)
            try client.close()
        }
        var arrived = [0, 0]
        // What the client holds for made can still be on its way to the queue.
        for _ in 0..<1000 where arrived.reduce(0, +) < clients {
            arrived[0] += try count(zero)
            arrived[1] += try count(one)
            if arrived.reduce(0, +) < clients { usleep(1000) }
        }
        return arrived
    }
}

/// Accepts all that waits. A client that has gone counts as well.
private func count(_ listener: borrowing Listener) throws -> Int {
    var count = 0
    while try listener.accept() != nil { count += 1 }
    return count
}

let canLoadPrograms: Bool = {
    do throws(Errno) {
        _ = try ReuseportSelector(capacity: 1)
        return true
    } catch {
        return false
    }
}()

let whyNoPrograms: Comment = "loading BPF needs CAP_BPF and CAP_NET_ADMIN, and Linux 5.14"

@Suite struct ClassicSelectionTests {
    @Test func sendsEverythingToTheListenerOfThatNumber() throws {
        let group = try Group()
        for index in [1, 0, 1] {
            try attachClassicReuseportProgram(to: group.zero.descriptor, selecting: index)
            var expected = [0, 0]
            expected[index] = 40
            #expect(try group.arrivals() == expected)
        }
    }

    @Test func leavesTheChoiceToTheHashForANumberWithoutAListener() throws {
        let group = try Group()
        try attachClassicReuseportProgram(to: group.zero.descriptor, selecting: 7)
        #expect(try group.arrivals().reduce(0, +) == 40)
    }
}

@Suite(.enabled(if: canLoadPrograms, whyNoPrograms))
struct ReuseportSelectorTests {
    @Test func sendsWhatArrivesToWhatIsChosen() throws {
        let group = try Group()
        let selector = try ReuseportSelector(capacity: 2)
        try selector.insert(group.zero.descriptor, at: 0)
        try selector.insert(group.one.descriptor, at: 1)
        try selector.attach(to: group.zero.descriptor)
        #expect(try group.arrivals().reduce(0, +) == 40)
        try selector.choose([1])
        #expect(try group.arrivals() == [0, 40])
        try selector.choose([0])
        #expect(try group.arrivals() == [40, 0])
        try selector.choose([1, 1])
        #expect(try group.arrivals() == [0, 40])
        try selector.choose([0, 1])
        // All 2000 by the same one of two: the odds are 1 in 2^1999.
        #expect(try group.arrivals(of: 2000).allSatisfy { $0 > 0 })
        try selector.choose([])
        #expect(try group.arrivals().reduce(0, +) == 40)
    }

    @Test func whatWaitsAtAClosedListenerMovesToAChosenOne() throws {
        let old = try Listener(.loopback(), [.reuseAddress, .reusePort])
        let address = try old.address
        let new = try Listener(address, [.reuseAddress, .reusePort])
        let selector = try ReuseportSelector(capacity: 2)
        try selector.insert(old.descriptor, at: 0)
        try selector.insert(new.descriptor, at: 1)
        try selector.choose([0])
        try selector.attach(to: old.descriptor)
        let client = try StreamSocket(for: address, .blocking).connect(to: address)
        #expect(try new.accept() == nil)
        try selector.choose([1])
        try old.close()
        guard let server = try new.accept() else {
            Issue.record("the connection did not move")
            return
        }
        let hello: [UInt8] = [42]
        #expect(try server.send(hello.span.bytes) == 1)
        var bytes: [UInt8] = [0]
        var span = bytes.mutableSpan
        var raw = span.mutableBytes
        #expect(try client.receive(into: &raw) == 1)
        #expect(bytes == hello)
    }

    /// Without a choice, and with one that is closed, the kernel's hash finds the listener that is left.
    @Test(arguments: [[], [0]]) func whatWaitsMovesWithoutAChoiceToo(_ chosen: [Int]) throws {
        let old = try Listener(.loopback(), [.reuseAddress, .reusePort])
        let address = try old.address
        let new = try Listener(address, [.reuseAddress, .reusePort])
        let selector = try ReuseportSelector(capacity: 2)
        try selector.insert(old.descriptor, at: 0)
        try selector.insert(new.descriptor, at: 1)
        try selector.choose([0])
        try selector.attach(to: old.descriptor)
        var clients: [CInt] = []
        defer { for number in clients { Glibc.close(number) } }
        for _ in 0..<40 {
            let socket = try StreamSocket(for: address, .blocking)
            try setSocketOption(.resetOnClose, on: socket.descriptor)
            let client = try socket.connect(to: address)
            clients.append(client.release().release().rawValue)
        }
        try selector.choose(chosen)
        try old.close()
        var moved = 0
        // What the client holds for made can still be on its way to the queue.
        for _ in 0..<1000 where moved < 40 {
            moved += try count(new)
            if moved < 40 { usleep(1000) }
        }
        #expect(moved == 40)
    }

    @Test func refusesWhatItCannotHold() throws {
        let group = try Group()
        let selector = try ReuseportSelector(capacity: 1)
        #expect(throws: Errno.argListTooLong) { try selector.insert(group.zero.descriptor, at: 1) }
        #expect(throws: Errno.argListTooLong) { try selector.choose([0, 0]) }
        try selector.insert(group.zero.descriptor, at: 0)
        let second = try ReuseportSelector(capacity: 1)
        #expect(throws: Errno.resourceBusy) { try second.insert(group.zero.descriptor, at: 0) }
        let plain = try Listener(.loopback(), [.reuseAddress])
        #expect(throws: Errno.invalidArgument) { try second.insert(plain.descriptor, at: 0) }
    }
}
