import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import Meters
import SystemPackage

/// How one call receives datagrams and one sends them.
package enum DatagramCalls: Sendable, Hashable {
    /// One datagram each: `recvmsg(2)`, `sendmsg(2)`.
    case single
    /// As many as are there, from whomever: `recvmmsg(2)`, `sendmmsg(2)`.
    case batch
    /// Those of one sender as one piece of memory: `UDP_GRO`, `UDP_SEGMENT`.
    case segments
}

/// Receives datagrams and sends them back, for one worker.
@safe struct DatagramWorker: ~Copyable {
    /// Datagrams that one `recvmmsg(2)` takes at the most.
    static let batchCapacity = 64

    private let endpoint: DatagramEndpoint
    private let descriptor: CInt
    let meter: WorkerMeter
    private let failures: FailureLog
    private let calls: DatagramCalls
    private var service: ServiceTimeSource
    private var batch: DatagramBatch
    private let header: UnsafeMutablePointer<msghdr>
    private let vector: UnsafeMutablePointer<iovec>
    private let name: UnsafeMutablePointer<sockaddr_storage>
    private let control: UnsafeMutablePointer<c_control>
    private let memory: UnsafeMutableRawPointer
    private static let bytes = 65_535
    private static let sendFlags = CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT)

    init(_ plan: ServerPlan, _ traffic: Traffic, _ member: WorkerTeam.Member, _ endpoint: DatagramEndpoint) {
        self.endpoint = endpoint
        descriptor = endpoint.socket.descriptor.rawValue
        meter = member.meter
        failures = member.failures
        calls = plan.loop.mode.options.datagramCalls
        service = ServiceTimeSource(plan.service, seed: plan.loop.seed &+ UInt64(member.index))
        let isBatch = plan.loop.mode.options.datagramCalls == .batch
        batch = DatagramBatch(
            capacity: isBatch ? Self.batchCapacity : 1, roomBytes: isBatch ? Self.roomBytes(traffic) : 1)
        unsafe header = .allocate(capacity: 1)
        unsafe vector = .allocate(capacity: 1)
        unsafe name = .allocate(capacity: 1)
        unsafe control = .allocate(capacity: 1)
        unsafe memory = .allocate(byteCount: Self.bytes, alignment: 64)
        unsafe vector.initialize(to: iovec(iov_base: memory, iov_len: Self.bytes))
        unsafe header.initialize(to: msghdr())
        unsafe name.initialize(to: sockaddr_storage())
        unsafe control.initialize(to: c_control())
        unsafe header.pointee.msg_iov = vector
        unsafe header.pointee.msg_iovlen = 1
        unsafe header.pointee.msg_name = UnsafeMutableRawPointer(name)
    }

    deinit {
        unsafe header.deallocate()
        unsafe vector.deallocate()
        unsafe name.deallocate()
        unsafe control.deallocate()
        unsafe memory.deallocate()
    }

    /// The socket as a ring's requests name it.
    var file: RequestFile { .descriptor(endpoint.socket.descriptor) }

    /// Room for a datagram where many have some: for those of the run, or what one packet usually has.
    static func roomBytes(_ traffic: Traffic) -> Int { max(traffic.messageBytes, 2_048) }

    /// Receives by one call what such a call brings, and sends it back. A socket that blocks is waited for.
    ///
    /// - Returns: how many datagrams came; 0 if none was there.
    mutating func echo() throws(Errno) -> Int {
        switch calls {
        case .single: try echoOne()
        case .batch: try echoBatch()
        case .segments: try echoSegments()
        }
    }

    @inline(__always) private mutating func echoOne() throws(Errno) -> Int {
        guard let count = try unsafe receive() else { return 0 }
        noteReceive()
        service.serve(meter)
        unsafe vector.pointee.iov_len = count
        unsafe send()
        return 1
    }

    private mutating func echoSegments() throws(Errno) -> Int {
        unsafe header.pointee.msg_control = UnsafeMutableRawPointer(control)
        unsafe header.pointee.msg_controllen = .init(MemoryLayout<c_control>.size)
        guard let count = try unsafe receive() else { return 0 }
        noteReceive()
        let size = unsafe Int(c_segment_bytes(header))
        unsafe header.pointee.msg_control = nil
        unsafe header.pointee.msg_controllen = 0
        guard size > 0, count > size else {
            service.serve(meter)
            unsafe vector.pointee.iov_len = count
            unsafe send()
            return 1
        }
        // Newer kernels bring more than one call sends on all of them.
        let part = DatagramSocket.maximumSegments * size
        for start in stride(from: 0, to: count, by: part) {
            let length = min(part, count - start)
            let datagrams = (length + size - 1) / size
            for _ in 0..<datagrams { service.serve(meter) }
            unsafe vector.pointee = iovec(iov_base: memory + start, iov_len: length)
            if length > size {
                unsafe c_set_segment_bytes(header, control, UInt16(size))
            } else {
                unsafe header.pointee.msg_control = nil
                unsafe header.pointee.msg_controllen = 0
            }
            unsafe send(datagrams)
        }
        unsafe vector.pointee.iov_base = memory
        return (count + size - 1) / size
    }

    private mutating func echoBatch() throws(Errno) -> Int {
        meter.add(.systemCalls)
        guard let count = try endpoint.socket.receive(into: &batch) else {
            meter.add(.emptyCalls)
            return 0
        }
        noteReceive()
        for _ in 0..<count { service.serve(meter) }
        while batch.count > 0 {
            meter.add(.systemCalls)
            do throws(Errno) {
                // What finds no room is lost, as it would be on the way.
                guard let sent = try endpoint.socket.send(&batch, options: .withoutWaiting) else {
                    batch.removeAll()
                    break
                }
                meter.add(.operations, UInt64(sent))
            } catch {
                noteFailure(error)
                batch.removeFirst()
            }
        }
        return count
    }

    /// Sends bytes to an address of the kernel's making.
    mutating func answer(_ bytes: RawSpan, to address: RawSpan) {
        noteReceive()
        meter.add(.receivedBytes, UInt64(bytes.byteCount))
        service.serve(meter)
        meter.add(.systemCalls)
        let sent = unsafe bytes.withUnsafeBytes { bytes in
            unsafe address.withUnsafeBytes { address in
                let name = unsafe address.baseAddress?.assumingMemoryBound(to: sockaddr.self)
                return unsafe sendto(
                    descriptor, bytes.baseAddress, bytes.count, Self.sendFlags, name, socklen_t(address.count))
            }
        }
        if sent >= 0 { meter.add(.operations) } else { noteFailure(Errno(rawValue: errno)) }
    }

    /// `recvmsg(2)` into all the room; nil if nothing is there.
    @unsafe @inline(__always) private mutating func receive() throws(Errno) -> Int? {
        unsafe vector.pointee.iov_len = Self.bytes
        while true {
            unsafe header.pointee.msg_namelen = socklen_t(MemoryLayout<sockaddr_storage>.size)
            meter.add(.systemCalls)
            let count = unsafe recvmsg(descriptor, header, 0)
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                meter.add(.emptyCalls)
                return nil
            default: throw Errno(rawValue: errno)
            }
        }
    }

    /// `sendmsg(2)` of what was received, to whom it came from.
    @unsafe @inline(__always) private mutating func send(_ datagrams: Int = 1) {
        meter.add(.systemCalls)
        if unsafe sendmsg(descriptor, header, Self.sendFlags) >= 0 {
            meter.add(.operations, UInt64(datagrams))
        } else {
            noteFailure(Errno(rawValue: errno))
        }
    }

    @inline(__always) private func noteReceive() {
        meter.add(.receives)
        meter.began()
    }

    /// What finds no room is lost, as it would be on the way.
    private func noteFailure(_ error: Errno) {
        guard error != .wouldBlock, error != .noBufferSpace else { return }
        // A worker that is told to end sees the shutdown.
        guard meter[.stopped] == 0 else { return }
        meter.add(.errors)
        failures.note(FailureTally.Cause("send", error.rawValue))
    }
}
