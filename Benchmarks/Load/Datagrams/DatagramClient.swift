import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import Statistics
import SystemPackage

/// One thread's connected datagram sockets, each with several datagrams in flight up to the plan's depth.
///
/// What is due at once on a socket goes by one call where the kernel can (`UDP_SEGMENT`), as a network card would hand it
/// over. A datagram without an answer is given up after a time, and in a closed loop the next one takes its place. All memory
/// is allocated before the first datagram.
@safe struct DatagramClient: LoadClient, ~Copyable {
    struct Peer {
        /// The next datagram's number.
        var next: UInt64 = 0
        /// The numbers below are answered or given up.
        var oldest: UInt64 = 0
        /// The highest number that was answered, and one more.
        var answeredEnd: UInt64 = 0
        /// Datagrams that are written and not sent yet.
        var unsent = 0
    }

    /// When a datagram was due, and when it was sent; 0 once it was answered.
    struct Flight {
        var due: UInt64
        var sent: UInt64
    }

    private let pattern: DatagramPattern
    private let epoll: Epoll
    private let events: EpollEventBuffer
    private let endpoints: [Endpoint]
    let transport: Transport
    private let isClosedLoop: Bool
    private let depth: Int
    private let peers: UnsafeMutablePointer<Peer>
    /// A ring of `flightCount` for each socket.
    private let flights: UnsafeMutablePointer<Flight>
    private let flightCount: Int
    /// Datagrams that one call sends at the most.
    private let burst: Int
    private let buffer: UnsafeMutableRawPointer
    private static let bufferBytes = 65_536
    /// Answers of one socket until the others have their turn.
    private static let answersPerTurn = 64
    private var generator: SplitMix64
    /// When those that wait too long are looked for.
    private var nextCheck = UInt64.max
    private(set) var outstanding: UInt64 = 0
    static var startsSlowly: Bool { false }
    var result = ClientResult()
    var openConnections: Int { endpoints.count }
    /// False in a closed loop, where an answer makes the room for the next datagram and sends it.
    var hasRoom: Bool { !isClosedLoop }

    private final class Endpoint {
        let socket: DatagramSocket
        init(_ socket: consuming DatagramSocket) { self.socket = socket }
    }

    /// Makes the sockets, which are connected at once.
    init(_ plan: LoadPlan, to address: SocketAddress, connections: Int, seed: UInt64) throws(Errno) {
        let epoll = try Epoll()
        var endpoints: [Endpoint] = []
        for index in 0..<connections {
            let socket = try DatagramSocket(for: address)
            try socket.connect(to: address)
            try epoll.add(socket.descriptor, .readable, token: UInt64(index))
            endpoints.append(Endpoint(socket))
        }
        let pattern = DatagramPattern(bytes: plan.messageBytes)
        let isClosedLoop = plan.ratePerSecond == nil
        // One that is lost is waited for while others go on.
        let room = min(4096, (32 << 20) / max(connections, 1) / MemoryLayout<Flight>.stride)
        let most = min(max(plan.depth, room), pattern.mostInFlight)
        depth = min(plan.depth, most)
        flightCount = most
        burst = max(1, min(DatagramSocket.maximumSegments, 65_507 / plan.messageBytes))
        transport = Transport(plan, capacity: 0)
        for (index, endpoint) in endpoints.enumerated() {
            transport.open(index, endpoint.socket.descriptor.rawValue)
        }
        events = EpollEventBuffer(capacity: max(1, min(connections, 256)))
        generator = SplitMix64(seed: seed)
        unsafe peers = .allocate(capacity: connections)
        unsafe peers.initialize(repeating: Peer(), count: connections)
        unsafe flights = .allocate(capacity: connections * most)
        unsafe flights.initialize(repeating: Flight(due: 0, sent: 0), count: connections * most)
        unsafe buffer = .allocate(byteCount: Self.bufferBytes, alignment: 64)
        self.isClosedLoop = isClosedLoop
        self.epoll = epoll
        self.endpoints = endpoints
        self.pattern = pattern
    }

    deinit {
        unsafe peers.deallocate()
        unsafe flights.deallocate()
        unsafe buffer.deallocate()
    }

    /// A closed loop sends on every socket up to the depth.
    mutating func begin(_ window: RunWindow) {
        result.begin(window)
        let now = monotonicNanoseconds()
        nextCheck = now + DatagramCounts.patienceNanoseconds
        guard isClosedLoop else { return }
        for index in 0..<endpoints.count { sendNext(index, depth) }
    }

    /// Sends on a socket picked at random, whatever it still waits for.
    mutating func start(at time: UInt64) -> Bool {
        let index = Int(generator.next() % UInt64(endpoints.count))
        queue(index, due: time, now: monotonicNanoseconds())
        flush(index)
        return true
    }

    mutating func awaitAnswers(until deadline: UInt64) throws(Errno) {
        let ready = try epoll.wait(into: events, untilNanoseconds: min(deadline, nextCheck))
        for index in 0..<ready { receive(Int(events[index].token)) }
        let now = monotonicNanoseconds()
        if now >= nextCheck { giveUp(now) }
    }

    mutating func failStalledHandshakes() {}

    // MARK: Sending

    /// Begins and sends so many on a socket.
    private mutating func sendNext(_ index: Int, _ count: Int) {
        let now = monotonicNanoseconds()
        guard now < result.window.loadEnd else { return }
        for _ in 0..<count { queue(index, due: now, now: now) }
        flush(index)
    }

    /// Writes a datagram behind those that are not sent yet.
    private mutating func queue(_ index: Int, due: UInt64, now: UInt64) {
        let number = unsafe peers[index].next
        // There is no room to remember more: the oldest one is lost sooner than others.
        if unsafe number - peers[index].oldest == UInt64(flightCount) { loseOldest(index) }
        unsafe pattern.write(number, to: buffer + peers[index].unsent * pattern.bytes)
        unsafe flights[place(index, number)] = Flight(due: due, sent: now)
        unsafe peers[index].next = number + 1
        // In place, ThreadSanitizer's instrumentation breaks the compiler.
        unsafe peers[index].unsent = peers[index].unsent + 1
        outstanding += 1
        result.datagrams.sent += 1
        if result.window.measures(due) { result.datagrams.dueInWindow += 1 }
        if unsafe peers[index].unsent == burst { flush(index) }
    }

    /// What finds no room is lost on the way, and given up in its time.
    private mutating func flush(_ index: Int) {
        let count = unsafe peers[index].unsent
        guard count > 0 else { return }
        unsafe peers[index].unsent = 0
        let bytes = unsafe UnsafeRawBufferPointer(start: buffer, count: count * pattern.bytes).bytes
        do throws(Errno) {
            _ = try endpoints[index].socket.sendSegments(bytes, of: pattern.bytes)
        } catch {
            // Of a kernel without UDP_SEGMENT, or a card that cannot do it, the datagrams go one by one.
            for place in 0..<count { sendAlone(index, place) }
        }
    }

    private mutating func sendAlone(_ index: Int, _ place: Int) {
        let start = unsafe UnsafeRawPointer(buffer) + place * pattern.bytes
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: pattern.bytes).bytes
        do throws(Errno) {
            _ = try endpoints[index].socket.send(bytes)
        } catch {
            note("send", error)
        }
    }

    // MARK: Answers

    private mutating func receive(_ index: Int) {
        var answered = 0
        for _ in 0..<Self.answersPerTurn {
            var room = unsafe MutableRawSpan(_unsafeStart: buffer, byteCount: Self.bufferBytes)
            do throws(Errno) {
                if let stamps = transport.stamps {
                    guard let count = try receive(index, stamps) else { break }
                    if take(index, count) { answered += 1 }
                    continue
                }
                guard let datagram = try endpoints[index].socket.receive(into: &room) else { break }
                if take(index, datagram.count) { answered += 1 }
            } catch {
                note("recv", error)
            }
        }
        if isClosedLoop && answered > 0 { sendNext(index, answered) }
    }

    /// Bytes of a datagram that comes with a stamp; nil if nothing is there.
    private func receive(_ index: Int, _ stamps: ArrivalStamps) throws(Errno) -> Int? {
        let descriptor = endpoints[index].socket.descriptor.rawValue
        let count = unsafe stamps.receive(descriptor, buffer, Self.bufferBytes, ArrivalStamps.wholeLength)
        if count >= 0 { return count }
        if -count == Int(EAGAIN) || -count == Int(EINTR) { return nil }
        throw Errno(rawValue: CInt(-count))
    }

    /// Counts an answer; true if it was waited for.
    private mutating func take(_ index: Int, _ count: Int) -> Bool {
        let now = monotonicNanoseconds()
        guard count == pattern.bytes else {
            result.fail(.wrongBytes, startedAt: now)
            return false
        }
        let peer = unsafe peers[index]
        let number = unsafe pattern.number(buffer, before: peer.next)
        guard number >= peer.oldest, number < peer.next, unsafe flights[place(index, number)].sent > 0 else {
            result.datagrams.late += 1
            return false
        }
        if number < peer.answeredEnd {
            result.datagrams.reordered += 1
        } else {
            unsafe peers[index].answeredEnd = number + 1
        }
        let isRight = unsafe pattern.matches(number, buffer)
        result.end(
            startedAt: unsafe flights[place(index, number)].due, at: now, isRight ? nil : .wrongBytes, over: transport)
        unsafe flights[place(index, number)].sent = 0
        outstanding -= 1
        result.datagrams.received += 1
        skipAnswered(index)
        return true
    }

    /// Gives up what has waited too long; a closed loop sends the next in its place.
    private mutating func giveUp(_ now: UInt64) {
        for index in 0..<endpoints.count {
            var lost = 0
            while unsafe peers[index].oldest < peers[index].next {
                let sent = unsafe flights[place(index, peers[index].oldest)].sent
                guard now >= sent + DatagramCounts.patienceNanoseconds else { break }
                loseOldest(index)
                lost += 1
            }
            if isClosedLoop && lost > 0 { sendNext(index, lost) }
        }
        nextCheck = now + DatagramCounts.patienceNanoseconds / 20
    }

    /// The oldest that is not answered is lost.
    private mutating func loseOldest(_ index: Int) {
        let flight = unsafe flights[place(index, peers[index].oldest)]
        unsafe flights[place(index, peers[index].oldest)].sent = 0
        outstanding -= 1
        result.datagrams.lost += 1
        if result.window.measures(flight.due) { result.datagrams.lostInWindow += 1 }
        skipAnswered(index)
    }

    private mutating func skipAnswered(_ index: Int) {
        while unsafe peers[index].oldest < peers[index].next,
            unsafe flights[place(index, peers[index].oldest)].sent == 0
        {
            unsafe peers[index].oldest = peers[index].oldest + 1
        }
    }

    @inline(__always) private func place(_ index: Int, _ number: UInt64) -> Int {
        index * flightCount + Int(number % UInt64(flightCount))
    }

    /// An error of a datagram that was sent earlier, whose answer will not come.
    private mutating func note(_ call: String, _ error: Errno) { result.failures.note(.init(call, error.rawValue)) }
}
