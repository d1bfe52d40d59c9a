import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import Meters
import SystemPackage

/// What carries a wake from one thread to another, or wakes a thread when a time has passed.
package enum WakeSignal: String, Sendable, CaseIterable {
    /// `eventfd(2)`: reading takes the whole count.
    case eventfd
    /// `eventfd(2)` with `EFD_SEMAPHORE`: reading takes one.
    case eventfdSemaphore = "eventfd-semaphore"
    /// `pipe(2)`, eight bytes a signal as with eventfd.
    case pipe
    /// `futex(2)`: a word of memory; no descriptor.
    case futex
    /// `IORING_OP_MSG_RING`: a completion in the receiver's ring.
    case messageRing = "msg-ring"
    /// `signalfd(2)`: a real-time signal that is sent to the thread; reading takes one.
    case signalfd
    /// `timerfd_create(2)`: reading takes all expirations.
    case timerfd
    /// `IORING_OP_TIMEOUT`: a completion in the thread's own ring.
    case ringTimeout = "ring-timeout"
    /// The time limit of the wait itself, as finely as a call of its kind takes it.
    case waitTimeout = "wait-timeout"
    /// The same in whole milliseconds, as `poll(2)` and `epoll_wait(2)` take it.
    case waitTimeoutMilliseconds = "wait-timeout-ms"

    /// True if a time wakes, and no other thread.
    package var isTimer: Bool {
        switch self {
        case .timerfd, .ringTimeout, .waitTimeout, .waitTimeoutMilliseconds: true
        case .eventfd, .eventfdSemaphore, .pipe, .futex, .messageRing, .signalfd: false
        }
    }

    /// True if a thread watches a descriptor for it, be it one that never becomes ready.
    var hasDescriptor: Bool { self != .futex && self != .messageRing && self != .ringTimeout }

    /// True if a signal is written to and read from a descriptor.
    package var isWritten: Bool { self == .eventfd || self == .eventfdSemaphore || self == .pipe }

    /// True if one read takes all that there is.
    var readTakesAll: Bool { self == .eventfd || self == .timerfd }

    /// Bytes of one signal, as it is read.
    var recordBytes: Int { self == .signalfd ? MemoryLayout<SignalRecord>.size : 8 }

    /// Descriptors that one of it takes.
    package var descriptorCount: Int { self == .pipe ? 2 : 1 }

    /// What the kernel takes for one that is signalled, and for its registration, rounded up. A pipe that holds
    /// something takes a page for it, beside its two files and its ring of buffers.
    package var liveBytes: UInt64 { self == .pipe ? 8192 : 1024 }
}

/// The descriptors of one eventfd, or of both ends of a pipe; closed by their owner.
struct SignalEnds: Sendable {
    let input: CInt
    let output: CInt
}

extension SignalEnds {
    /// Makes them, close-on-exec.
    ///
    /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`.
    @inline(__always) init(_ signal: WakeSignal, nonblocking: Bool) throws(Errno) {
        if signal == .pipe {
            (input, output) = try Self.pipe(nonblocking: nonblocking)
        } else if signal == .signalfd || signal == .timerfd {
            input = try Self.event(signal, nonblocking: nonblocking)
            output = input
        } else {
            var options: EventFD.Options = signal == .eventfdSemaphore ? .semaphore : []
            if nonblocking { options.insert(.nonblocking) }
            input = try EventFD(options).release().release().rawValue
            output = input
        }
    }

    /// A descriptor that nobody writes to.
    private static func event(_ signal: WakeSignal, nonblocking: Bool) throws(Errno) -> CInt {
        if signal == .timerfd {
            return try TimerDescriptor(.monotonic, nonblocking ? .nonblocking : []).release().release().rawValue
        }
        let signals: SignalSet = [ThreadSignal.number]
        return try SignalDescriptor(signals, nonblocking ? .nonblocking : []).release().release().rawValue
    }

    private static func pipe(nonblocking: Bool) throws(Errno) -> (CInt, CInt) {
        var ends: (CInt, CInt) = (-1, -1)
        let flags = O_CLOEXEC | (nonblocking ? O_NONBLOCK : 0)
        _ = try systemCall {
            unsafe withUnsafeMutablePointer(to: &ends) { pair in
                unsafe pair.withMemoryRebound(to: CInt.self, capacity: 2) { unsafe pipe2($0, flags) }
            }
        }
        return ends
    }

    /// Closes both, the read end first: closing the write end first would be one more event of the read end.
    @inline(__always) func close(_ meter: WorkerMeter? = nil) {
        meter?.add(.systemCalls)
        Glibc.close(input)
        guard output != input else { return }
        meter?.add(.systemCalls)
        Glibc.close(output)
    }
}

/// Writes one signal. A counter or pipe that is full (`EAGAIN`) has woken the waiter already.
@inline(__always) func writeSignal(_ output: BorrowedDescriptor, _ meter: WorkerMeter?) throws(Errno) {
    meter?.add(.systemCalls)
    var one: UInt64 = 1
    _ = try nonblockingSystemCall { unsafe write(output.rawValue, &one, 8) }
}

/// Reads one signal; false if there is none: `EAGAIN`, or the end of a pipe that another thread is closing.
@inline(__always) func readSignal(_ input: BorrowedDescriptor, _ meter: WorkerMeter) throws(Errno) -> Bool {
    meter.add(.systemCalls)
    var count: UInt64 = 0
    let bytes = try nonblockingSystemCall { unsafe read(input.rawValue, &count, 8) }
    if let bytes, bytes > 0 { return true }
    meter.add(.emptyCalls)
    return false
}
