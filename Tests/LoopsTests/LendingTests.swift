import CBenchExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@testable import Loops
@testable import Meters

private let whyNoLending = Mode.named("epoll-vmsplice")?.capabilities.refusal()

/// Memory that sockets send from where it is: how long nobody may write into it, and how that is kept.
@Suite(.enabled(if: whyNoLending == nil, "vmsplice(2) is missing or forbidden")) struct LendingTests {
    /// Bytes that tell where in a stream they are.
    private func pattern(_ count: Int, from start: Int = 0) -> [UInt8] {
        (start..<start + count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
    }

    /// So many bytes, or fewer where they do not come.
    private func receiveAll(_ count: Int, from connection: borrowing Connection) -> [UInt8] {
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(
            connection.descriptor.rawValue, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var bytes = [UInt8](repeating: 0, count: count)
        let received = receiveWhole(&bytes, from: connection.descriptor.rawValue)
        return Array(bytes.prefix(max(received, 0)))
    }

    /// Waits until the peer has acknowledged all, and has it in its receive queue.
    private func waitUntilAcknowledged(_ connection: borrowing Connection) -> Bool {
        let socket = connection.descriptor.rawValue
        return eventually { c_unacknowledged_bytes(socket) == 0 }
    }

    /// Why waiting for the socket's queue to drain is not enough: all is acknowledged, and on loopback the bytes that the
    /// peer will read are still these.
    @Test func whatIsWrittenBeforeThePeerHasReadArrivesChanged() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener)
        let page = sysconf(CInt(_SC_PAGESIZE))
        let memory = try #require(mmap(nil, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        defer { munmap(memory, page) }
        let bytes = UnsafeMutableRawBufferPointer(start: memory, count: 100)
        bytes.copyBytes(from: pattern(100))
        var pipe = try SplicePipe(bytes: page)
        let meters = WorkerMeters(count: 1)
        let count = pipe.send(UnsafeRawBufferPointer(bytes), to: server.descriptor.rawValue, meters[0])
        #expect(count == 100)
        let isAcknowledged = waitUntilAcknowledged(server)
        #expect(pipe.lent == 0 && isAcknowledged)
        for index in bytes.indices { bytes[index] = 0xff }
        let received = receiveAll(100, from: client)
        #expect(received == [UInt8](repeating: 0xff, count: 100))
    }

    /// The same with memory whose pages are given up before anything is written again, sixteen times over.
    @Test func pagesThatAreGivenUpKeepTheirBytes() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener)
        var lending = try Lending(room: 1000, bytes: 8192)
        let meters = WorkerMeters(count: 1)
        let sent = pattern(128_000)
        for start in stride(from: 0, to: sent.count, by: 1000) {
            let memory = try lending.next(meters[0])
            let bytes = UnsafeMutableRawBufferPointer(start: memory, count: 1000)
            bytes.copyBytes(from: sent[start..<start + 1000])
            lending.lend(1000)
            let result = lending.pipe.send(UnsafeRawBufferPointer(bytes), to: server.descriptor.rawValue, meters[0])
            #expect(result == 1000)
        }
        // One vmsplice(2) each, and one madvise(2) for every eight but the first.
        #expect(meters[0][.systemCalls] == 128 + 15)
        let isAcknowledged = waitUntilAcknowledged(server)
        let received = receiveAll(sent.count, from: client)
        let isUnchanged = received == sent
        #expect(isAcknowledged && isUnchanged)
    }

    // MARK: The loop

    /// Runs the loop over connections until `stop` is readable.
    private func echo(
        _ traffic: Traffic, _ numbers: [CInt], stop: BorrowedDescriptor, _ meter: WorkerMeter
    ) throws -> BenchThread<Void> {
        let mode = try #require(Mode.named("epoll-vmsplice"))
        let plan = ServerPlan(.read, mode: mode)
        let capacity = Int(numbers.max()!) + 1
        let connections = EchoConnections(capacity: capacity, tailBytes: traffic.messageBytes, OpenCount())
        for number in numbers { connections.began(number) }
        return BenchThread("worker", processor: nil) { () throws(Errno) in
            SignalSet([SIGPIPE]).block()
            let member = WorkerTeam.Member(index: 0, meter: meter, stop: stop, gate: StartGate())
            var worker = EchoWorker(plan, traffic, member, connections, RequestFormat(traffic))
            let set = try SharedEpoll([], numbers, mode, stop: stop)
            var lending = try Lending(room: worker.capacity, bytes: 4 * worker.capacity)
            try echoFromWhereItIs(
                set.epoll, EpollEventBuffer(capacity: 64), mode.capabilities, &lending, &worker)
        }
    }

    private func traffic(_ bytes: Int) -> Traffic {
        var traffic = Traffic(.read, connections: 1)
        traffic.messageBytes = bytes
        return traffic
    }

    /// The reader lets the server's queue fill, and takes then what is there in small pieces.
    @Test(arguments: [1, 63, 4096, 5000, 65_536, 1 << 20]) func everyByteComesBack(_ size: Int) throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener, .nonblocking)
        try setSocketOption(.sendBuffer(bytes: 4096), on: server.descriptor)
        let sent = pattern(max(min(64 * size, 200_000), 3 * size) / size * size)
        let stop = try EventFD()
        let meters = WorkerMeters(count: 1)
        let numbers = [server.release().release().rawValue]
        let worker = try echo(traffic(size), numbers, stop: stop.descriptor, meters[0])
        let socket = client.descriptor.rawValue
        let sender = BenchThread("sender", processor: nil) { () throws(Errno) in
            var count = 0
            while count < sent.count {
                let result = sent.withUnsafeBytes { send(socket, $0.baseAddress! + count, sent.count - count, 0) }
                if result < 0 { throw Errno(rawValue: errno) }
                count += result
            }
        }
        // Either all was answered, or the server waits for room.
        let isFull = eventually {
            meters[0][.operations] == UInt64(sent.count / size) || meters[0][.shortSends] > 0
        }
        #expect(isFull)
        var received: [UInt8] = []
        let step = max(1009, sent.count / 100)
        while received.count < sent.count {
            let piece = receiveAll(min(step, sent.count - received.count), from: client)
            if piece.isEmpty { break }
            received += piece
        }
        let isUnchanged = received == sent
        #expect(isUnchanged)
        if case .failure(let error) = sender.join() { Issue.record(error) }
        try stop.add()
        if case .failure(let error) = worker.join() { Issue.record(error) }
        #expect(meters[0][.operations] == UInt64(sent.count / size) && meters[0][.errors] == 0)
        close(numbers[0])
    }

    /// What a client did not take is not sent to the next one.
    @Test func whatIsLeftOfAConnectionGoesNowhere() throws {
        let listener = try loopbackListener()
        let gone = try connect(to: listener)
        let client = try acceptNext(from: listener, .nonblocking)
        let other = try connect(to: listener)
        let second = try acceptNext(from: listener, .nonblocking)
        try setSocketOption(.sendBuffer(bytes: 4096), on: client.descriptor)
        let size = 1 << 20
        let numbers = [client.release().release().rawValue, second.release().release().rawValue]
        let stop = try EventFD()
        let meters = WorkerMeters(count: 1)
        let worker = try echo(traffic(size), numbers, stop: stop.descriptor, meters[0])
        let sent = pattern(size)
        let socket = gone.descriptor.rawValue
        #expect(sent.withUnsafeBytes { send(socket, $0.baseAddress!, size, 0) } == size)
        #expect(eventually { meters[0][.shortSends] > 0 })
        // With unread bytes in its queue it resets.
        try gone.close()
        let otherSocket = other.descriptor.rawValue
        let reversed = Array(sent.reversed())
        let sender = BenchThread("sender", processor: nil) { () throws(Errno) in
            let result = reversed.withUnsafeBytes { send(otherSocket, $0.baseAddress!, size, 0) }
            if result < 0 { throw Errno(rawValue: errno) }
        }
        let received = receiveAll(size, from: other)
        let isUnchanged = received == reversed
        #expect(isUnchanged)
        if case .failure(let error) = sender.join() { Issue.record(error) }
        try stop.add()
        if case .failure(let error) = worker.join() { Issue.record(error) }
        #expect(meters[0][.errors] == 1)
        close(numbers[1])
    }

    /// A wait, a receive, and two calls that send; the memory has room for four chunks of a message.
    @Test func theLoopCountsItsCalls() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener, .nonblocking)
        let size = sysconf(CInt(_SC_PAGESIZE))
        let numbers = [server.release().release().rawValue]
        let stop = try EventFD()
        let meters = WorkerMeters(count: 1)
        let worker = try echo(traffic(size), numbers, stop: stop.descriptor, meters[0])
        for round in 0..<12 {
            let message = pattern(size, from: round)
            let count = try client.send(message)
            let reply = receiveAll(size, from: client)
            #expect(count == size && reply == message)
        }
        try stop.add()
        if case .failure(let error) = worker.join() { Issue.record(error) }
        #expect(meters[0][.operations] == 12)
        // A message may come in two parts, each with a wait and a receive.
        let parts = Int(meters[0][.wakeups]) - 1
        #expect(Int(meters[0][.systemCalls]) == 2 * parts + 1 + 2 * 12 + 2)
        close(numbers[0])
    }
}
