import CSocketExtras
import Glibc
import LinuxDescriptors
public import SystemPackage

/// Room for several datagrams that one call receives or sends, allocated once: `recvmmsg(2)`, `sendmmsg(2)`.
///
/// ```swift
/// var batch = DatagramBatch(capacity: 64, roomBytes: 2048)   // once
/// while try socket.receive(into: &batch) != nil {
///     // What was received can be sent back as it is, each to its sender.
///     while batch.count > 0, try socket.send(&batch) != nil {}
/// }
/// ```
///
/// It holds those that were received last, or appended, and not sent since: 0 to ``count`` - 1. It belongs to one thread
/// at a time.
@safe public struct DatagramBatch: ~Copyable, @unchecked Sendable {
    // Unchecked: the memory has one owner, and every change needs exclusive access to it.
    private let headers: UnsafeMutablePointer<c_mmsghdr>
    private let vectors: UnsafeMutablePointer<iovec>
    private let names: UnsafeMutablePointer<sockaddr_storage>
    private let memory: UnsafeMutableRawPointer
    /// The datagrams before this one were sent.
    private var first = 0
    private var end = 0
    /// Places before this one may be set up otherwise than for receiving.
    private var touched: Int

    /// How many datagrams it has room for.
    public let capacity: Int
    /// The room for each, in bytes.
    public let roomBytes: Int

    /// The most that one call takes (`UIO_MAXIOV`).
    public static var maximumCapacity: Int { 1024 }

    /// Allocates the memory: `roomBytes` and some 200 bytes more for each.
    ///
    /// - Precondition: the capacity is 1 to ``maximumCapacity``, the room 1 to 2^20 bytes, and there is as much memory.
    public init(capacity: Int, roomBytes: Int) {
        precondition((1...Self.maximumCapacity).contains(capacity), "a batch has room for 1 to 1024 datagrams")
        precondition((1...1 << 20).contains(roomBytes), "a datagram has room for 1 byte to 1 MiB")
        self.capacity = capacity
        self.roomBytes = roomBytes
        touched = capacity
        unsafe memory = .allocate(byteCount: capacity * roomBytes, alignment: 16)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * roomBytes)
        unsafe headers = .allocate(capacity: capacity)
        unsafe vectors = .allocate(capacity: capacity)
        unsafe names = .allocate(capacity: capacity)
        unsafe names.initialize(repeating: sockaddr_storage(), count: capacity)
        for index in 0..<capacity {
            unsafe (vectors + index).initialize(to: iovec(iov_base: memory + index * roomBytes, iov_len: roomBytes))
            var header = unsafe c_mmsghdr()
            unsafe header.message.msg_iov = vectors + index
            unsafe header.message.msg_iovlen = 1
            unsafe (headers + index).initialize(to: header)
        }
    }

    deinit {
        unsafe headers.deallocate()
        unsafe vectors.deallocate()
        unsafe names.deallocate()
        unsafe memory.deallocate()
    }

    /// How many datagrams are in it.
    public var count: Int { end - first }

    /// How long a datagram is, and how much of it is here.
    public func datagram(at index: Int) -> ReceivedDatagram {
        ReceivedDatagram(length: Int(unsafe headers[place(index)].length), room: roomBytes)
    }

    /// Who sent a datagram, or to whom it goes; nil if that has no address, or the socket is to know it.
    public func peer(at index: Int) -> SocketAddress? {
        let place = place(index)
        let length = Int(unsafe headers[place].message.msg_namelen)
        guard length > 0 else { return nil }
        return unsafe SocketAddress(UnsafeRawBufferPointer(start: names + place, count: min(length, nameSize)))
    }

    /// Lends the bytes of a datagram to a closure.
    public func withBytes<Result: ~Copyable, Failure: Error>(
        at index: Int, _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let place = place(index)
        let bytes = unsafe UnsafeRawBufferPointer(
            start: vectors[place].iov_base, count: vectors[place].iov_len)
        return try unsafe body(bytes.bytes)
    }

    /// Adds a datagram, to be sent to an address, or to where the socket is connected.
    ///
    /// Room that was freed in front is used, too: what is left of a batch that was sent in part moves there.
    ///
    /// - Returns: false if ``count`` is ``capacity`` already.
    /// - Throws: `EMSGSIZE` if it is longer than ``roomBytes``.
    public mutating func append(_ bytes: RawSpan, to address: SocketAddress? = nil) throws(Errno) -> Bool {
        guard bytes.byteCount <= roomBytes else { throw .messageTooLong }
        if first == end { removeAll() }
        if end == capacity { moveToFront() }
        guard end < capacity else { return false }
        unsafe bytes.withUnsafeBytes { bytes in
            let room = unsafe UnsafeMutableRawBufferPointer(start: vectors[end].iov_base, count: roomBytes)
            unsafe room.copyMemory(from: bytes)
        }
        unsafe vectors[end].iov_len = bytes.byteCount
        unsafe headers[end].length = UInt32(bytes.byteCount)
        unsafe headers[end].message.msg_name = nil
        unsafe headers[end].message.msg_namelen = 0
        if let address { write(address) }
        end += 1
        touched = max(touched, end)
        return true
    }

    /// Takes out the first ones, as sending does: one that cannot be sent, say.
    ///
    /// - Precondition: there are as many.
    public mutating func removeFirst(_ number: Int = 1) {
        precondition(number >= 0 && number <= count, "there are not so many datagrams")
        first += number
    }

    /// Takes out all.
    public mutating func removeAll() {
        first = 0
        end = 0
    }

    private func place(_ index: Int) -> Int {
        precondition(index >= 0 && index < count, "no such datagram")
        return first + index
    }

    /// Makes room behind the last one of that before the first. The bytes stay where they are: places change their memory.
    private mutating func moveToFront() {
        guard first > 0 else { return }
        for (target, source) in zip(0..<count, first..<end) {
            unsafe swap(&vectors[target], &vectors[source])
            unsafe headers[target].length = headers[source].length
            let length = unsafe headers[source].message.msg_namelen
            unsafe headers[target].message.msg_namelen = length
            unsafe names[target] = names[source]
            unsafe headers[target].message.msg_name = length > 0 ? UnsafeMutableRawPointer(names + target) : nil
        }
        end = count
        first = 0
    }

    private func write(_ address: SocketAddress) {
        let length = unsafe address.withSocketAddress { native, length in
            unsafe UnsafeMutableRawPointer(names + end).copyMemory(from: native, byteCount: Int(length))
            return length
        }
        unsafe headers[end].message.msg_name = UnsafeMutableRawPointer(names + end)
        unsafe headers[end].message.msg_namelen = length
    }
}

private let nameSize = MemoryLayout<sockaddr_storage>.size

extension DatagramBatch {
    /// Receives in place of what was there before.
    mutating func receive(from socket: BorrowedDescriptor, _ flags: CInt) throws(Errno) -> Int? {
        removeAll()
        for index in 0..<touched {
            unsafe headers[index].message.msg_name = UnsafeMutableRawPointer(names + index)
            unsafe headers[index].message.msg_namelen = socklen_t(nameSize)
            unsafe vectors[index].iov_len = roomBytes
        }
        let (number, flags) = (socket.rawValue, flags | CInt(MSG_TRUNC) | CInt(MSG_WAITFORONE))
        touched = 0
        let (start, length) = unsafe (headers, UInt32(capacity))
        let received = try nonblockingSystemCall { unsafe c_recvmmsg(number, start, length, flags) }
        guard let received else { return nil }
        end = Int(received)
        touched = end
        for index in 0..<end { unsafe vectors[index].iov_len = min(Int(headers[index].length), roomBytes) }
        return end
    }

    /// Sends from the first on, and takes out what was sent.
    mutating func send(to socket: BorrowedDescriptor, _ flags: CInt) throws(Errno) -> Int? {
        guard count > 0 else { return 0 }
        let (number, flags) = (socket.rawValue, flags | CInt(MSG_NOSIGNAL))
        let (start, length) = unsafe (headers + first, UInt32(count))
        let sent = try nonblockingSystemCall { unsafe c_sendmmsg(number, start, length, flags) }
        guard let sent else { return nil }
        removeFirst(Int(sent))
        return Int(sent)
    }
}

extension DatagramSocket {
    /// Receives as many datagrams as are there and fit, in place of what was in the batch (`recvmmsg(2)`, Linux 2.6.33). A
    /// blocking socket waits for the first one only.
    ///
    /// - Returns: how many; nil if nothing is there and it does not wait.
    /// - Throws: what ``receive(into:options:)->ReceivedDatagram?`` throws. An error that comes after some datagrams is
    ///   thrown by the next call.
    public func receive(into batch: inout DatagramBatch, options: ReceiveOptions = []) throws(Errno) -> Int? {
        try batch.receive(from: owned.descriptor, options.rawValue)
    }

    /// Sends datagrams from the first on, and takes those that were sent out of the batch (`sendmmsg(2)`, Linux 3.0).
    ///
    /// - Returns: how many were sent, which may be fewer than there are; nil if there is no room for the first and it does
    ///   not wait; 0 of an empty batch.
    /// - Throws: what ``send(_:to:options:)`` throws, of the first one, which stays:
    ///   ``DatagramBatch/removeFirst(_:)`` gives it up. An error of a later one is thrown by the next call.
    public func send(_ batch: inout DatagramBatch, options: SendOptions = []) throws(Errno) -> Int? {
        try batch.send(to: owned.descriptor, options.rawValue)
    }
}
