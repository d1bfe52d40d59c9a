import LinuxDescriptors
import LinuxRings
import Meters
import SystemPackage

/// The connections of one ring that receives many times: which buffers wait to be sent on each, in order.
///
/// A connection has one send under way at a time: two could overtake each other when the socket's buffer is full.
@safe final class MultishotStreams {
    private let format: RequestFormat
    let destination: MultishotAccept.Destination
    private let group: UInt16
    private let receiveFlags: ReceiveFlags
    private var closesAfterReply: Bool { format.closesAfterReply }
    private let capacity: Int
    let streams: UnsafeMutablePointer<Stream>
    let replies: UnsafeMutablePointer<PendingReply>
    /// Connections whose receive found no buffer.
    private var starved: [CInt] = []
    /// Buffers that the kernel has.
    var freeBuffers: Int
    let sending: ReplySending

    /// Room for descriptors or slots below `capacity`, whose replies wait by the buffer that they are for.
    convenience init(
        _ format: RequestFormat, capacity: Int, _ group: borrowing BufferGroup,
        into destination: MultishotAccept.Destination, _ sending: ReplySending = ReplySending()
    ) {
        self.init(
            format, capacity: capacity, group.identifier, buffers: group.count, into: destination, sending: sending)
    }

    /// The same with replies that wait elsewhere, for parts of buffers.
    convenience init(
        _ format: RequestFormat, capacity: Int, _ group: borrowing BundleGroup, receiveFlags: ReceiveFlags,
        into destination: MultishotAccept.Destination
    ) {
        self.init(format, capacity: capacity, group.identifier, buffers: 0, into: destination, receiveFlags)
        freeBuffers = group.freeBuffers
    }

    private init(
        _ format: RequestFormat, capacity: Int, _ group: UInt16, buffers: Int,
        into destination: MultishotAccept.Destination, _ receiveFlags: ReceiveFlags = [],
        sending: ReplySending = ReplySending()
    ) {
        self.format = format
        self.sending = sending
        self.destination = destination
        self.capacity = capacity
        self.group = group
        self.receiveFlags = receiveFlags
        freeBuffers = buffers
        unsafe streams = .allocate(capacity: capacity)
        unsafe streams.initialize(repeating: Stream(), count: capacity)
        unsafe replies = .allocate(capacity: buffers)
        unsafe replies.initialize(repeating: PendingReply(), count: buffers)
        starved.reserveCapacity(capacity)
    }

    deinit {
        unsafe streams.deallocate()
        unsafe replies.deallocate()
    }

    // MARK: Arming

    /// A connection that ends with its reply receives once: a request that is still armed would keep it open.
    func receive(_ fd: CInt, _ ring: inout Ring) throws(Errno) {
        let token = Token(.receive, fd).rawValue
        if closesAfterReply {
            try ring.prepareReceive(file(fd), from: group, receiveFlags: receiveFlags, token: token)
        } else {
            try ring.prepareMultishotReceive(file(fd), from: group, receiveFlags: receiveFlags, token: token)
        }
    }

    func armAgain(_ fd: CInt, _ ring: inout Ring, _ worker: borrowing EchoWorker) throws(Errno) {
        if unsafe streams[Int(fd)].isClosing { return }
        if closesAfterReply {
            // Its only message may be whole by now; then it is closed when the reply has been sent.
            if unsafe streams[Int(fd)].first < 0 { try receive(fd, &ring) }
            return
        }
        worker.meter.add(.rearms)
        try receive(fd, &ring)
    }

    /// Remembers a connection until buffers are free again.
    func waitForBuffer(_ fd: CInt) {
        starved.append(fd)
    }

    /// Arms the receives that found no buffer, once there is one.
    func resumeReceives(_ ring: inout Ring, _ meter: WorkerMeter) throws(Errno) {
        guard !starved.isEmpty, freeBuffers > 0 else { return }
        for fd in starved where unsafe !streams[Int(fd)].isClosing {
            meter.add(.rearms)
            try receive(fd, &ring)
        }
        starved.removeAll(keepingCapacity: true)
    }

    func file(_ fd: CInt) -> RequestFile {
        switch destination {
        case .descriptors: .descriptor(BorrowedDescriptor(rawValue: fd))
        case .slots: .slot(Slot(UInt32(fd)))
        }
    }

    // MARK: Completions

    /// Begins with a connection that was accepted.
    func began(
        _ connection: consuming AcceptedFile?, _ ring: inout Ring, _ worker: borrowing EchoWorker
    ) throws(Errno) {
        if let fd = try fd(of: connection, &ring, worker) { try begin(fd, &ring, worker) }
    }

    /// Begins with a connection that another ring has handed over.
    func takeOver(
        _ completion: consuming Completion, _ ring: inout Ring, _ worker: borrowing EchoWorker
    ) throws(Errno) {
        try began(.descriptor(try completion.takeDescriptor()), &ring, worker)
    }

    private func begin(_ fd: CInt, _ ring: inout Ring, _ worker: borrowing EchoWorker) throws(Errno) {
        worker.connections.began(fd)
        unsafe streams[Int(fd)] = Stream()
        try receive(fd, &ring)
    }

    /// By what a connection is known from now on.
    private func fd(
        of file: consuming AcceptedFile?, _ ring: inout Ring, _ worker: borrowing EchoWorker
    ) throws(Errno) -> CInt? {
        let token = Token(.close).rawValue
        switch consume file {
        case .descriptor(let connection):
            if try worker.admits(connection.descriptor.rawValue) { return connection.release().rawValue }
            try ring.prepareClose(connection, .skipSuccess, token: token)
            return nil
        case .slot(let slot):
            if try worker.admits(CInt(slot.index)) { return CInt(slot.index) }
            try ring.prepareClose(slot: slot, .skipSuccess, token: token)
            return nil
        case nil: return nil
        }
    }

    /// Serves what was received, and queues the replies to its whole requests; an echo is sent back from where it is.
    @unsafe func echo(
        _ fd: CInt, _ buffer: UInt16, _ received: Int, _ group: inout BufferGroup, _ ring: inout Ring,
        _ worker: inout EchoWorker
    ) throws(Errno) {
        freeBuffers -= 1
        var start = unsafe group.memory(of: buffer)
        var total = received
        if worker.connections.hasTail(fd) {
            let tail = unsafe worker.connections.prependTail(fd, before: start)
            unsafe start -= tail
            total += tail
        }
        guard unsafe !streams[Int(fd)].isClosing && !streams[Int(fd)].hasLast else { return recycle(buffer, &group) }
        let requests = unsafe format.requests(start, total)
        let extent = unsafe format.extent(of: requests, start, total)
        unsafe streams[Int(fd)].hasLast = extent.hasLast
        if extent.bytes < total && !extent.hasLast && !extent.isRefused {
            unsafe worker.connections.keepTail(fd, start + extent.bytes, count: total - extent.bytes)
        }
        if requests.count > 0 {
            try unsafe queueReply(to: requests, of: extent.bytes, fd, buffer, start, &ring, &worker)
        } else {
            recycle(buffer, &group)
        }
        if extent.isRefused { try refuse(fd, &ring, worker) }
    }

    /// Serves the first requests of a buffer, and queues their reply behind those of the buffers before.
    @unsafe @inline(__always) private func queueReply(
        to requests: Requests, of whole: Int, _ fd: CInt, _ buffer: UInt16, _ start: UnsafeMutableRawPointer,
        _ ring: inout Ring, _ worker: inout EchoWorker
    ) throws(Errno) {
        unsafe worker.serve(fd, start, requests.count)
        unsafe replies[Int(buffer)] = reply(to: requests, start, whole)
        let last = unsafe streams[Int(fd)].last
        unsafe streams[Int(fd)].last = Int32(buffer)
        if last >= 0 {
            unsafe replies[Int(last)].next = Int32(buffer)
        } else {
            unsafe streams[Int(fd)].first = Int32(buffer)
            try unsafe sendFirst(fd, &ring)
        }
    }

    /// Closes after what is no request, as soon as the requests before it are answered.
    func refuse(_ fd: CInt, _ ring: inout Ring, _ worker: borrowing EchoWorker) throws(Errno) {
        worker.fail(.wrongRequest)
        unsafe streams[Int(fd)].hasLast = true
        if unsafe streams[Int(fd)].first < 0 { return try close(fd, &ring, worker) }
        unsafe streams[Int(fd)].hasEnded = true
    }

    /// The reply to the first requests of a buffer, of which so many bytes are whole requests.
    @unsafe private func reply(to requests: Requests, _ start: UnsafeMutableRawPointer, _ whole: Int) -> PendingReply {
        let bytes = unsafe format.reply(to: requests, at: start)
        return unsafe PendingReply(
            start: bytes.baseAddress, count: bytes.count, requests: requests, rest: start + requests.bytes,
            restBytes: whole - requests.bytes)
    }

    /// Takes note of a send; goes on with what is left of it, with the buffer's other requests,
    /// or with the next buffer.
    @unsafe func sent(
        _ fd: CInt, _ completion: borrowing Completion, _ group: inout BufferGroup, _ ring: inout Ring,
        _ worker: inout EchoWorker
    ) throws(Errno) {
        let buffer = unsafe Int(streams[Int(fd)].first)
        if sending.hasNotifications {
            let buffer = UInt16(Token(rawValue: completion.token).generation)
            if completion.isNotification { return notified(buffer, completion, &group, worker.meter) }
            if completion.isArmed { unsafe replies[Int(buffer)].notifications += 1 }
        }
        guard buffer >= 0 else { return }
        guard completion.result > 0, unsafe !streams[Int(fd)].isClosing else {
            if sending.hasNotifications && mustCopy(buffer, fd, completion) {
                return try unsafe sendFirst(fd, &ring)
            }
            unsafe dropReplies(fd, &group)
            return try ended(fd, completion, &ring, worker)
        }
        unsafe replies[buffer].start! += Int(completion.result)
        unsafe replies[buffer].count -= Int(completion.result)
        if unsafe replies[buffer].count > 0 {
            worker.meter.add(.shortSends)
            return try unsafe sendFirst(fd, &ring)
        }
        let answered = unsafe replies[buffer].requests
        worker.replied(answered.count)
        if let rest = unsafe replies[buffer].rest, unsafe replies[buffer].restBytes > 0, !format.isLast(answered) {
            let bytes = unsafe replies[buffer].restBytes
            let next = unsafe replies[buffer].next
            let requests = unsafe format.requests(rest, bytes)
            unsafe worker.serve(fd, rest, requests.count)
            let notifications = unsafe replies[buffer].notifications
            unsafe replies[buffer] = reply(to: requests, rest, bytes)
            unsafe replies[buffer].next = next
            unsafe replies[buffer].notifications = notifications
            return try unsafe sendFirst(fd, &ring)
        }
        let next = unsafe replies[buffer].next
        recycle(UInt16(buffer), &group)
        unsafe streams[Int(fd)].first = next
        if next >= 0 { return try unsafe sendFirst(fd, &ring) }
        unsafe streams[Int(fd)].last = -1
        let isOver = unsafe format.isLast(answered) || streams[Int(fd)].hasEnded
        if isOver { try close(fd, &ring, worker) }
    }

    /// The peer is gone: closes once, and counts an end that lost something.
    func ended(
        _ fd: CInt, _ completion: borrowing Completion, _ ring: inout Ring, _ worker: borrowing EchoWorker
    ) throws(Errno) {
        if unsafe streams[Int(fd)].isClosing || completion.error == .canceled { return }
        if completion.result < 0 || worker.connections.hasTail(fd) {
            worker.fail(completion.result < 0 ? .init("recv", -completion.result) : .earlyEnd)
        }
        if unsafe completion.result == 0 && streams[Int(fd)].first >= 0 {
            unsafe streams[Int(fd)].hasEnded = true
            return
        }
        try close(fd, &ring, worker)
    }

    func close(_ fd: CInt, _ ring: inout Ring, _ worker: borrowing EchoWorker) throws(Errno) {
        unsafe streams[Int(fd)].isClosing = true
        worker.connections.ended(fd)
        let token = Token(.close, fd).rawValue
        // The peer has not ended it: a receive that is still armed would keep it open.
        if unsafe streams[Int(fd)].hasLast && !closesAfterReply {
            try ring.prepareCancel(target: Token(.receive, fd).rawValue, token: token)
        }
        switch destination {
        case .slots:
            try ring.prepareClose(slot: Slot(UInt32(fd)), .skipSuccess, token: token)
        case .descriptors:
            let owned = OwnedDescriptor(owning: FileDescriptor(rawValue: fd))
            try ring.prepareClose(owned, .skipSuccess, token: token)
        }
    }
}
