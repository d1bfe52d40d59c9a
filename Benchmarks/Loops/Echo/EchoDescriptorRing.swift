import LinuxDescriptors
import LinuxRings
import Meters
import SystemPackage

/// Echoes with one request of a `DescriptorRing` at a time for each connection, a receive or a send.
struct DescriptorRingEcho {
    private let stop: RingToken
    private let bufferBytes: Int
    /// How many messages the send of a connection carries.
    private var messages: [Int]

    init(_ stop: RingToken, capacity: Int, bufferBytes: Int) {
        self.stop = stop
        self.bufferBytes = bufferBytes
        messages = Array(repeating: 0, count: capacity)
    }

    /// Echoes, and accepts from the listeners, until the stop signal comes.
    mutating func run(
        _ ring: inout DescriptorRing, listeners: [RingToken], connections: [RingToken], _ worker: inout EchoWorker
    ) throws(Errno) {
        let meter = worker.meter
        for listener in listeners { try ring.prepareAccept(listener) }
        for connection in connections { try begin(connection, &ring, worker) }
        meter.add(.submissions, UInt64(listeners.count + 1))
        while true {
            try ring.wait(meter)
            let before = worker.progress
            while let event = ring.nextEvent() {
                meter.add(.completions)
                if event.token == stop { return }
                let (operation, count) = (event.operation, Int(event.result))
                switch operation {
                case .accept: try accepted(event, &ring, &worker)
                case .receive where count > 0: try received(event, &ring, &worker)
                case .send where count > 0: try sent(event, &ring, &worker)
                default: try ended(event, &ring, worker)
                }
            }
            if worker.progress == before { meter.add(.spuriousWakeups) }
        }
    }

    private mutating func accepted(
        _ event: consuming RingEvent, _ ring: inout DescriptorRing, _ worker: inout EchoWorker
    ) throws(Errno) {
        let (listener, isArmed) = (event.token, event.isArmed)
        if let descriptor = try takeConnection(event, worker.meter) {
            // Asks what it is.
            worker.meter.add(.systemCalls)
            let connection = try ring.insert(descriptor)
            guard connection.index < messages.count else { throw .tooManyOpenFiles }
            worker.progress += 1
            try begin(connection, &ring, worker)
        }
        if isArmed { return }
        worker.meter.add(.rearms)
        worker.meter.add(.submissions)
        try ring.prepareAccept(listener)
    }

    private func begin(
        _ connection: RingToken, _ ring: inout DescriptorRing, _ worker: borrowing EchoWorker
    ) throws(Errno) {
        worker.connections.began(CInt(connection.index))
        try receive(connection, into: RequestBuffer(capacity: bufferBytes), &ring, worker)
    }

    private func receive(
        _ connection: RingToken, into buffer: consuming RequestBuffer, _ ring: inout DescriptorRing,
        _ worker: borrowing EchoWorker
    ) throws(Errno) {
        worker.meter.add(.submissions)
        try ring.prepareReceive(connection, into: buffer)
    }

    private mutating func received(
        _ event: consuming RingEvent, _ ring: inout DescriptorRing, _ worker: inout EchoWorker
    ) throws(Errno) {
        let connection = event.token
        let fd = CInt(connection.index)
        worker.progress += 1
        var buffer = event.takeBuffer()
        let count = buffer.count / worker.message.bytes
        guard count > 0 else { return try receive(connection, into: buffer, &ring, worker) }
        let whole = count * worker.message.bytes
        let tail = buffer.count - whole
        unsafe buffer.bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            unsafe worker.serve(fd, start, count)
            if tail > 0 { unsafe worker.connections.keepTail(fd, start + whole, count: tail) }
        }
        buffer.removeLast(tail)
        messages[Int(fd)] = count
        worker.meter.add(.submissions)
        try ring.prepareSend(connection, from: buffer)
        // A client must not wait for the service of others: a busy worker hands each reply over at once.
        guard worker.isBusy else { return }
        _ = try ring.wait(timeout: .zero)
        worker.meter.add(.systemCalls)
        worker.meter.add(.ringEnters)
    }

    private func sent(
        _ event: consuming RingEvent, _ ring: inout DescriptorRing, _ worker: inout EchoWorker
    ) throws(Errno) {
        let connection = event.token
        let fd = CInt(connection.index)
        worker.progress += 1
        var buffer = event.takeBuffer()
        if !buffer.isEmpty {
            worker.meter.add(.shortSends)
            worker.meter.add(.submissions)
            return try ring.prepareSend(connection, from: buffer)
        }
        worker.replied(messages[Int(fd)])
        if worker.closesAfterReply { return try close(connection, &ring, worker) }
        if worker.connections.hasTail(fd) {
            var tail = [UInt8](repeating: 0, count: worker.message.bytes)
            let count = unsafe tail.withUnsafeMutableBytes { bytes in
                guard let start = bytes.baseAddress else { return 0 }
                return unsafe worker.connections.takeTail(fd, into: start)
            }
            _ = unsafe buffer.append(tail.span.bytes.extracting(0..<count))
        }
        try receive(connection, into: buffer, &ring, worker)
    }

    /// The peer is gone: closes, and counts an end that lost something.
    private func ended(
        _ event: consuming RingEvent, _ ring: inout DescriptorRing, _ worker: borrowing EchoWorker
    ) throws(Errno) {
        let (connection, operation, error) = (event.token, event.operation, event.error)
        let isInMessage = !event.takeBuffer().isEmpty
        if let error {
            worker.fail(.init(operation == .send ? "send" : "recv", error.rawValue))
        } else if isInMessage {
            worker.fail(.earlyEnd)
        }
        try close(connection, &ring, worker)
    }

    private func close(
        _ connection: RingToken, _ ring: inout DescriptorRing, _ worker: borrowing EchoWorker
    ) throws(Errno) {
        worker.connections.ended(CInt(connection.index))
        // Asks whether it is still the same file, and closes it.
        worker.meter.add(.systemCalls, 2)
        try ring.close(connection)
    }
}
