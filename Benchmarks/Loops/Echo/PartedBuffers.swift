import CSocketExtras
import Glibc
import LinuxRings
import Meters
import SystemPackage

/// Buffers of which a completion brings several, or parts of them. Each part waits for its own reply, and those that wait
/// on one connection are sent with one call; a buffer is the kernel's again when all its parts were answered.
@safe struct PartedBuffers: ~Copyable, EchoBuffers {
    private(set) var group: BundleGroup
    private var pool: ReplyPool
    private let format: RequestFormat
    private let sends: UnsafeMutablePointer<Send>

    /// The send of a connection that is under way: how many bytes, and from where if from several places.
    @unsafe private struct Send {
        var bytes = 0
        var gather: UnsafeMutablePointer<msghdr>?
    }

    /// Room for descriptors or slots below `capacity`.
    init(_ group: consuming BundleGroup, _ format: RequestFormat, capacity: Int) {
        pool = ReplyPool(blockBytes: format.longest + group.bytes)
        self.group = group
        self.format = format
        unsafe sends = .allocate(capacity: capacity)
        unsafe sends.initialize(repeating: Send(), count: capacity)
    }

    deinit { unsafe sends.deallocate() }

    // MARK: Receiving

    @unsafe mutating func received(
        _ completion: borrowing Completion, _ buffer: UInt16, _ fd: CInt, _ streams: MultishotStreams,
        _ ring: inout Ring, _ worker: inout EchoWorker
    ) throws(Errno) {
        var run = group.run(of: completion)
        while let part = group.nextPart(of: &run) {
            try unsafe answer(part, fd, streams, &ring, &worker)
            // What is behind it must not wait for its service.
            if worker.isBusy && run.count > 0 {
                try unsafe sendWaiting(fd, streams, &ring)
                try submitAtOnce(&ring, worker.meter)
            }
        }
        streams.freeBuffers = group.freeBuffers
        try unsafe sendWaiting(fd, streams, &ring)
    }

    /// Serves the whole requests of a part, and lets their reply wait to be sent.
    @unsafe private mutating func answer(
        _ part: BufferPart, _ fd: CInt, _ streams: MultishotStreams, _ ring: inout Ring, _ worker: inout EchoWorker
    ) throws(Errno) {
        if unsafe streams.streams[Int(fd)].isClosing || streams.streams[Int(fd)].hasLast { return group.recycle(part) }
        var reply = unsafe PartReply(part: part)
        let (start, total) = unsafe place(&reply, part, fd, worker.connections)
        let requests = unsafe format.requests(start, total)
        let extent = unsafe format.extent(of: requests, start, total)
        unsafe streams.streams[Int(fd)].hasLast = extent.hasLast
        if extent.bytes < total && !extent.hasLast && !extent.isRefused {
            unsafe worker.connections.keepTail(fd, start + extent.bytes, count: total - extent.bytes)
        }
        if requests.count > 0 {
            unsafe worker.serve(fd, start, requests.count)
            unsafe reply.set(to: requests, of: format, start, extent.bytes)
            let index = unsafe pool.take(reply)
            let last = unsafe streams.streams[Int(fd)].last
            unsafe streams.streams[Int(fd)].last = index
            if last >= 0 { unsafe pool[last].next = index } else { unsafe streams.streams[Int(fd)].first = index }
        } else {
            unsafe giveBack(reply)
        }
        if extent.isRefused { try streams.refuse(fd, &ring, worker) }
    }

    /// Where the bytes of a part are in one piece with what the last one left of a request: where they came if there is
    /// room in front of them, which only a buffer's beginning has; else in a block, and the part is given back.
    @unsafe private mutating func place(
        _ reply: inout PartReply, _ part: BufferPart, _ fd: CInt, _ connections: EchoConnections
    ) -> (start: UnsafeMutableRawPointer, count: Int) {
        let start = unsafe group.memory(of: part)
        guard connections.hasTail(fd) else { return unsafe (start, part.count) }
        if part.start == 0 {
            let tail = unsafe connections.prependTail(fd, before: start)
            return unsafe (start - tail, part.count + tail)
        }
        let block = unsafe pool.takeBlock()
        let tail = unsafe connections.takeTail(fd, into: block)
        unsafe (block + tail).copyMemory(from: start, byteCount: part.count)
        group.recycle(part)
        unsafe reply.part = nil
        unsafe reply.block = block
        return unsafe (block, part.count + tail)
    }

    @unsafe private mutating func giveBack(_ reply: PartReply) {
        if let part = unsafe reply.part { group.recycle(part) }
        if let block = unsafe reply.block { unsafe pool.giveBack(block: block) }
    }

    // MARK: Sending

    /// Sends what waits on a connection, as much of it as one call takes, unless a send is under way.
    @unsafe private mutating func sendWaiting(
        _ fd: CInt, _ streams: MultishotStreams, _ ring: inout Ring
    ) throws(Errno) {
        let first = unsafe streams.streams[Int(fd)].first
        guard unsafe first >= 0 && sends[Int(fd)].bytes == 0 else { return }
        let token = Token(.send, fd).rawValue
        if isLastOfSend(first) {
            guard let start = unsafe pool[first].start else { return }
            unsafe sends[Int(fd)].bytes = pool[first].count
            return try unsafe ring.prepareSend(streams.file(fd), from: start, count: pool[first].count, token: token)
        }
        let gather = unsafe pool.takeGather()
        var (index, bytes, pieces) = (first, 0, 0)
        while true {
            unsafe gather.pointee.msg_iov[pieces] = iovec(
                iov_base: UnsafeMutableRawPointer(mutating: pool[index].start), iov_len: pool[index].count)
            bytes += unsafe pool[index].count
            pieces += 1
            if isLastOfSend(index) || pieces == ReplyPool.mostPieces { break }
            index = unsafe pool[index].next
        }
        unsafe gather.pointee.msg_iovlen = .init(pieces)
        unsafe sends[Int(fd)] = Send(bytes: bytes, gather: gather)
        try unsafe ring.prepareSendMessage(streams.file(fd), from: UnsafePointer(gather), token: token)
    }

    /// Nothing waits behind it, or it has to be sent before the rest of its part is answered, or ends the connection.
    private func isLastOfSend(_ index: Int32) -> Bool {
        unsafe pool[index].next < 0 || pool[index].restBytes > 0 || format.isLast(pool[index].requests)
    }

    @unsafe mutating func sent(
        _ completion: borrowing Completion, _ fd: CInt, _ streams: MultishotStreams, _ ring: inout Ring,
        _ worker: inout EchoWorker
    ) throws(Errno) {
        let send = unsafe sends[Int(fd)]
        unsafe sends[Int(fd)] = Send()
        if let gather = unsafe send.gather { unsafe pool.giveBack(gather: gather) }
        guard unsafe streams.streams[Int(fd)].first >= 0 else { return }
        defer { streams.freeBuffers = group.freeBuffers }
        guard completion.result > 0, unsafe !streams.streams[Int(fd)].isClosing else {
            unsafe dropReplies(fd, streams)
            return try streams.ended(fd, completion, &ring, worker)
        }
        var bytes = Int(completion.result)
        if unsafe bytes < send.bytes { worker.meter.add(.shortSends) }
        while bytes > 0 {
            let first = unsafe streams.streams[Int(fd)].first
            let count = unsafe min(bytes, pool[first].count)
            bytes -= count
            unsafe pool[first].start! += count
            unsafe pool[first].count -= count
            if unsafe pool[first].count > 0 { break }
            if try unsafe ends(fd, first, streams, &ring, &worker) { return }
        }
        try unsafe sendWaiting(fd, streams, &ring)
    }

    /// Goes on behind a reply that was sent, with the other requests of its part or with the next part; true if the
    /// connection has ended with it.
    @unsafe private mutating func ends(
        _ fd: CInt, _ index: Int32, _ streams: MultishotStreams, _ ring: inout Ring, _ worker: inout EchoWorker
    ) throws(Errno) -> Bool {
        let answered = unsafe pool[index].requests
        worker.replied(answered.count)
        let isLast = format.isLast(answered)
        if let rest = unsafe pool[index].rest, unsafe pool[index].restBytes > 0, !isLast {
            let bytes = unsafe pool[index].restBytes
            let requests = unsafe format.requests(rest, bytes)
            unsafe worker.serve(fd, rest, requests.count)
            unsafe pool[index].set(to: requests, of: format, rest, bytes)
            return false
        }
        let next = unsafe pool[index].next
        unsafe giveBack(pool[index])
        pool.giveBack(index)
        unsafe streams.streams[Int(fd)].first = next
        if next < 0 { unsafe streams.streams[Int(fd)].last = -1 }
        guard unsafe isLast || next < 0 && streams.streams[Int(fd)].hasEnded else { return false }
        unsafe dropReplies(fd, streams)
        try streams.close(fd, &ring, worker)
        return true
    }

    @unsafe private mutating func dropReplies(_ fd: CInt, _ streams: MultishotStreams) {
        var next = unsafe streams.streams[Int(fd)].first
        while next >= 0 {
            let index = next
            unsafe next = pool[index].next
            unsafe giveBack(pool[index])
            pool.giveBack(index)
        }
        unsafe streams.streams[Int(fd)].first = -1
        unsafe streams.streams[Int(fd)].last = -1
    }
}
