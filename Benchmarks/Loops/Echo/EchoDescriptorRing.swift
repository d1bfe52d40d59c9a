import LinuxDescriptors
import LinuxRings
import Meters
import SystemPackage

/// Answers with one request of a `DescriptorRing` at a time for each connection, a receive or a send.
struct DescriptorRingEcho {
    private let stop: RingToken
    private let bufferBytes: Int
    private let format: RequestFormat
    /// What the send of a connection answers.
    private var requests: [Requests]
    /// What was received behind those requests, where it can be whole requests too: of all but an echo.
    private var rests: [[UInt8]]

    init(_ stop: RingToken, _ format: RequestFormat, capacity: Int, bufferBytes: Int) {
        self.stop = stop
        self.format = format
        self.bufferBytes = bufferBytes
        requests = Array(repeating: Requests(), count: capacity)
        rests = Array(repeating: [], count: format.isEcho ? 0 : capacity)
    }

    /// Answers, and accepts from the listeners, until the stop signal comes.
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
            if try worker.admits(CInt(connection.index)) {
                worker.progress += 1
                try begin(connection, &ring, worker)
            } else {
                worker.meter.add(.systemCalls, 2)
                try ring.close(connection)
            }
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
        worker.progress += 1
        try answer(connection, event.takeBuffer(), &ring, &worker)
    }

    /// Serves the requests at the front of a buffer, puts their replies into it, and sends it.
    private mutating func answer(
        _ connection: RingToken, _ buffer: consuming RequestBuffer, _ ring: inout DescriptorRing,
        _ worker: inout EchoWorker
    ) throws(Errno) {
        let fd = CInt(connection.index)
        let found = unsafe buffer.bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return Requests() }
            return unsafe format.requests(start, bytes.count)
        }
        guard found.count > 0 else {
            guard found.isRefused else { return try receive(connection, into: buffer, &ring, worker) }
            worker.fail(.wrongRequest)
            return try close(connection, &ring, worker)
        }
        let tail = buffer.count - found.bytes
        unsafe buffer.bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            unsafe worker.serve(fd, start, found.count)
            if tail == 0 { return }
            if format.isEcho {
                unsafe worker.connections.keepTail(fd, start + found.bytes, count: tail)
            } else {
                rests[Int(fd)] = unsafe Array(bytes[found.bytes...])
            }
        }
        if format.isEcho {
            buffer.removeLast(tail)
        } else {
            buffer.removeAll()
            _ = unsafe buffer.append(RawSpan(_unsafeBytes: format.replies.memory(for: found)))
        }
        requests[Int(fd)] = found
        worker.meter.add(.submissions)
        try ring.prepareSend(connection, from: buffer)
        // A client must not wait for the service of others: a busy worker hands each reply over at once.
        guard worker.isBusy else { return }
        _ = try ring.wait(timeout: .zero)
        worker.meter.add(.systemCalls)
        worker.meter.add(.ringEnters)
    }

    private mutating func sent(
        _ event: consuming RingEvent, _ ring: inout DescriptorRing, _ worker: inout EchoWorker
    ) throws(Errno) {
        let connection = event.token
        let fd = CInt(connection.index)
        worker.progress += 1
        var buffer = event.takeBuffer()
        if !buffer.isEmpty {
            worker.meter.add(.shortSends)
            worker.meter.add(.submissions)
            try ring.prepareSend(connection, from: buffer)
            return
        }
        worker.replied(requests[Int(fd)].count)
        if format.isLast(requests[Int(fd)]) { return try close(connection, &ring, worker) }
        guard format.isEcho else { return try goOn(connection, buffer, &ring, &worker) }
        if worker.connections.hasTail(fd) {
            var tail = [UInt8](repeating: 0, count: format.messageBytes)
            let count = unsafe tail.withUnsafeMutableBytes { bytes in
                guard let start = bytes.baseAddress else { return 0 }
                return unsafe worker.connections.takeTail(fd, into: start)
            }
            _ = unsafe buffer.append(tail.span.bytes.extracting(0..<count))
        }
        try receive(connection, into: buffer, &ring, worker)
    }

    /// Answers what was received behind the requests that are answered now, or receives more.
    private mutating func goOn(
        _ connection: RingToken, _ buffer: consuming RequestBuffer, _ ring: inout DescriptorRing,
        _ worker: inout EchoWorker
    ) throws(Errno) {
        let index = Int(connection.index)
        let rest = rests[index]
        guard !rest.isEmpty else { return try receive(connection, into: buffer, &ring, worker) }
        _ = unsafe buffer.append(rest.span.bytes)
        rests[index] = []
        try answer(connection, buffer, &ring, &worker)
    }

    /// The peer is gone: closes, and counts an end that lost something.
    private mutating func ended(
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

    private mutating func close(
        _ connection: RingToken, _ ring: inout DescriptorRing, _ worker: borrowing EchoWorker
    ) throws(Errno) {
        worker.connections.ended(CInt(connection.index))
        if !format.isEcho { rests[Int(connection.index)] = [] }
        // Asks whether it is still the same file, and closes it.
        worker.meter.add(.systemCalls, 2)
        try ring.close(connection)
    }
}
