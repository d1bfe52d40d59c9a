import LinuxDescriptors
import LinuxRings
import Meters
import SystemPackage

/// The connections of one ring that receives many times: which buffers wait to be sent on each, in order.
///
/// A connection has one send under way at a time: two could overtake each other when the socket's buffer is full.
@safe final class MultishotStreams {
    private let destination: MultishotAccept.Destination
    private let group: UInt16
    private let closesAfterReply: Bool
    private let capacity: Int
    private let streams: UnsafeMutablePointer<Stream>
    private let pieces: UnsafeMutablePointer<Piece>
    private var accepts: [MultishotAccept] = []
    /// Connections whose receive found no buffer.
    private var starved: [CInt] = []
    private var freeBuffers: Int

    private struct Stream {
        var first: Int32 = -1
        var last: Int32 = -1
        /// The peer sends no more; closed when what is queued has been sent.
        var hasEnded = false
        var isClosing = false
    }

    /// What a buffer holds of whole messages, and which buffer comes after it.
    @unsafe private struct Piece {
        var start: UnsafeMutableRawPointer?
        var count = 0
        var next: Int32 = -1
    }

    /// Room for descriptors or slots below `capacity`.
    init(
        capacity: Int, _ group: borrowing BufferGroup, into destination: MultishotAccept.Destination,
        closesAfterReply: Bool
    ) {
        self.destination = destination
        self.capacity = capacity
        self.group = group.identifier
        self.closesAfterReply = closesAfterReply
        freeBuffers = group.count
        unsafe streams = .allocate(capacity: capacity)
        unsafe streams.initialize(repeating: Stream(), count: capacity)
        unsafe pieces = .allocate(capacity: group.count)
        unsafe pieces.initialize(repeating: Piece(), count: group.count)
        starved.reserveCapacity(capacity)
    }

    deinit {
        unsafe streams.deallocate()
        unsafe pieces.deallocate()
    }

    // MARK: Arming

    func accept(on listener: CInt, _ ring: inout Ring) throws(Errno) {
        var request = MultishotAccept(
            listener: BorrowedDescriptor(rawValue: listener), into: destination,
            token: Token(.listener, listener).rawValue)
        try request.arm(on: &ring)
        accepts.append(request)
    }

    /// True while an accept waits for something to be closed.
    var hasShortage: Bool { accepts.contains { $0.shortage != nil } }

    /// Arms the accepts that a shortage ended, if it is time.
    func resumeAccepts(_ ring: inout Ring, _ meter: WorkerMeter) throws(Errno) {
        for index in accepts.indices {
            guard let shortage = accepts[index].shortage else { continue }
            let rearms = accepts[index].rearms
            try accepts[index].resume(on: &ring)
            guard accepts[index].rearms > rearms else { continue }
            meter.add(.rearms)
            try noteShortage(shortage, meter)
        }
    }

    /// A connection that ends with its reply receives once: a request that is still armed would keep it open.
    func receive(_ number: CInt, _ ring: inout Ring) throws(Errno) {
        let token = Token(.receive, number).rawValue
        if closesAfterReply {
            try ring.prepareReceive(file(number), from: group, token: token)
        } else {
            try ring.prepareMultishotReceive(file(number), from: group, token: token)
        }
    }

    func armAgain(_ number: CInt, _ ring: inout Ring, _ worker: borrowing EchoWorker) throws(Errno) {
        if unsafe streams[Int(number)].isClosing { return }
        if closesAfterReply {
            // Its only message may be whole by now; then it is closed when the reply has been sent.
            if unsafe streams[Int(number)].first < 0 { try receive(number, &ring) }
            return
        }
        worker.meter.add(.rearms)
        try receive(number, &ring)
    }

    /// Remembers a connection until buffers are free again.
    func waitForBuffer(_ number: CInt) {
        starved.append(number)
    }

    /// Arms the receives that found no buffer, once there is one.
    func resumeReceives(_ ring: inout Ring, _ meter: WorkerMeter) throws(Errno) {
        guard !starved.isEmpty, freeBuffers > 0 else { return }
        for number in starved where unsafe !streams[Int(number)].isClosing {
            meter.add(.rearms)
            try receive(number, &ring)
        }
        starved.removeAll(keepingCapacity: true)
    }

    private func file(_ number: CInt) -> RequestFile {
        switch destination {
        case .descriptors: .descriptor(BorrowedDescriptor(rawValue: number))
        case .slots: .slot(Slot(UInt32(number)))
        }
    }

    // MARK: Completions

    func accepted(
        _ completion: consuming Completion, _ listener: CInt, _ ring: inout Ring, _ worker: borrowing EchoWorker
    ) throws(Errno) {
        guard let index = accepts.firstIndex(where: { $0.listener.rawValue == listener }) else { return }
        let rearms = accepts[index].rearms
        let file = try accepts[index].accepted(completion, on: &ring)
        worker.meter.add(.rearms, accepts[index].rearms - rearms)
        guard let number = try number(of: file) else { return }
        worker.connections.began(number)
        unsafe streams[Int(number)] = Stream()
        try receive(number, &ring)
    }

    /// By what a connection is known from now on.
    private func number(of file: consuming AcceptedFile?) throws(Errno) -> CInt? {
        switch consume file {
        case .descriptor(let connection):
            guard connection.descriptor.rawValue < capacity else { throw .tooManyOpenFiles }
            return connection.release().rawValue
        case .slot(let slot):
            guard slot.index < capacity else { throw .tooManyOpenFiles }
            return CInt(slot.index)
        case nil: return nil
        }
    }

    /// Handles a piece of a stream and queues its whole messages to be sent back from where they are.
    @unsafe func echo(
        _ number: CInt, _ buffer: UInt16, _ received: Int, _ group: inout BufferGroup, _ ring: inout Ring,
        _ worker: inout EchoWorker
    ) throws(Errno) {
        freeBuffers -= 1
        var start = unsafe group.memory(of: buffer)
        var total = received
        if worker.connections.hasTail(number) {
            let tail = unsafe worker.connections.prependTail(number, before: start)
            unsafe start -= tail
            total += tail
        }
        let count = total / worker.message.bytes
        let whole = count * worker.message.bytes
        if whole < total { unsafe worker.connections.keepTail(number, start + whole, count: total - whole) }
        guard count > 0, unsafe !streams[Int(number)].isClosing else { return recycle(buffer, &group) }
        unsafe worker.handle(number, start, count)
        unsafe pieces[Int(buffer)] = Piece(start: start, count: whole)
        let last = unsafe streams[Int(number)].last
        unsafe streams[Int(number)].last = Int32(buffer)
        if last >= 0 {
            unsafe pieces[Int(last)].next = Int32(buffer)
        } else {
            unsafe streams[Int(number)].first = Int32(buffer)
            try unsafe sendFirst(number, &ring)
        }
    }

    /// Takes note of a send; goes on with the rest of it, or with the next piece.
    @unsafe func sent(
        _ number: CInt, _ completion: borrowing Completion, _ group: inout BufferGroup, _ ring: inout Ring,
        _ worker: borrowing EchoWorker
    ) throws(Errno) {
        let buffer = unsafe Int(streams[Int(number)].first)
        guard buffer >= 0 else { return }
        guard completion.result > 0, unsafe !streams[Int(number)].isClosing else {
            unsafe dropPieces(number, &group)
            return try ended(number, completion, &ring, worker)
        }
        unsafe pieces[buffer].start! += Int(completion.result)
        unsafe pieces[buffer].count -= Int(completion.result)
        if unsafe pieces[buffer].count > 0 {
            worker.meter.add(.shortSends)
            return try unsafe sendFirst(number, &ring)
        }
        let next = unsafe pieces[buffer].next
        recycle(UInt16(buffer), &group)
        unsafe streams[Int(number)].first = next
        if next >= 0 { return try unsafe sendFirst(number, &ring) }
        unsafe streams[Int(number)].last = -1
        let isOver = unsafe closesAfterReply || streams[Int(number)].hasEnded
        if isOver { try close(number, &ring, worker) }
    }

    /// The peer is gone: closes once, and counts an end that lost something.
    func ended(
        _ number: CInt, _ completion: borrowing Completion, _ ring: inout Ring, _ worker: borrowing EchoWorker
    ) throws(Errno) {
        if unsafe streams[Int(number)].isClosing { return }
        if completion.result < 0 || worker.connections.hasTail(number) {
            worker.fail(completion.result < 0 ? .init("recv", -completion.result) : .earlyEnd)
        }
        if unsafe completion.result == 0 && streams[Int(number)].first >= 0 {
            unsafe streams[Int(number)].hasEnded = true
            return
        }
        try close(number, &ring, worker)
    }

    private func close(_ number: CInt, _ ring: inout Ring, _ worker: borrowing EchoWorker) throws(Errno) {
        unsafe streams[Int(number)].isClosing = true
        worker.connections.ended(number)
        let token = Token(.close, number).rawValue
        switch destination {
        case .slots:
            try ring.prepareClose(slot: Slot(UInt32(number)), .skipSuccess, token: token)
        case .descriptors:
            let owned = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
            try ring.prepareClose(owned, .skipSuccess, token: token)
        }
    }

    @unsafe private func sendFirst(_ number: CInt, _ ring: inout Ring) throws(Errno) {
        let piece = unsafe pieces[Int(streams[Int(number)].first)]
        guard let start = unsafe piece.start else { return }
        try unsafe ring.prepareSend(
            file(number), from: start, count: piece.count, token: Token(.send, number).rawValue)
    }

    @unsafe private func dropPieces(_ number: CInt, _ group: inout BufferGroup) {
        var next = unsafe streams[Int(number)].first
        while next >= 0 {
            let following = unsafe pieces[Int(next)].next
            recycle(UInt16(next), &group)
            next = following
        }
        unsafe streams[Int(number)].first = -1
        unsafe streams[Int(number)].last = -1
    }

    private func recycle(_ buffer: UInt16, _ group: inout BufferGroup) {
        unsafe pieces[Int(buffer)] = Piece()
        group.recycle(buffer)
        freeBuffers += 1
    }
}
