import CEventFD
import CBenchExtras
import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import Meters
import SystemPackage

/// The way by which one thread is woken: what it waits for, and what others write to.
final class WakeChannel: Sendable {
    let signal: WakeSignal
    /// What the woken thread reads; borrowed from the channel.
    let input: BorrowedDescriptor
    /// What the others write; the same as `input` for an eventfd.
    let output: BorrowedDescriptor
    private let ends: SignalEnds?
    private let words = SharedWords(count: 3, spacing: 16)

    /// Makes the descriptors.
    init(_ signal: WakeSignal, nonblocking: Bool) throws(Errno) {
        self.signal = signal
        let ends = signal.hasDescriptor ? try SignalEnds(signal, nonblocking: nonblocking) : nil
        input = BorrowedDescriptor(rawValue: ends?.input ?? -1)
        output = BorrowedDescriptor(rawValue: ends?.output ?? -1)
        self.ends = ends
    }

    deinit {
        ends?.close()
    }

    /// The word that a futex waits on: 1 when signalled. On a little-endian machine the lower half is its first.
    var futexWord: SharedWord { words[0] }

    /// Where a ring's read of `input` goes: alive as long as the channel, whatever becomes of the loop.
    @unsafe var readBuffer: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: words[1].address, count: 8)
    }

    /// The ring of the woken thread, once it has one.
    var ring: BorrowedDescriptor {
        get { BorrowedDescriptor(rawValue: CInt(truncatingIfNeeded: words[2].value) &- 1) }
        set { words[2].value = UInt64(newValue.rawValue) + 1 }
    }

    /// Wakes from a thread that has no ring of its own, at the end of a run.
    func wakeFromOutside() {
        do throws(Errno) {
            switch signal {
            case .futex: signalFutex(futexWord, nil)
            case .messageRing:
                guard ring.rawValue >= 0 else { return }
                var sender = try Ring(entries: 2)
                try sender.prepareMessage(to: ring, messageToken: messageToken, token: 0)
                try sender.submitAndWait()
            case .eventfd, .eventfdSemaphore, .pipe: try writeSignal(output, nil)
            }
        } catch {
            // The woken thread has ended already and taken its ring along.
        }
    }
}

/// Completions of a wake carry it.
let messageToken: UInt64 = 3

/// The numbers of one eventfd, or of both ends of a pipe.
struct SignalEnds: Sendable {
    let input: CInt
    let output: CInt

    /// Makes them, close-on-exec.
    ///
    /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`.
    @inline(__always) init(_ signal: WakeSignal, nonblocking: Bool) throws(Errno) {
        if signal == .pipe {
            (input, output) = try Self.pipe(nonblocking: nonblocking)
        } else {
            var options: EventFD.Options = signal == .eventfdSemaphore ? .semaphore : []
            if nonblocking { options.insert(.nonblocking) }
            // Given away to whoever takes the signal.
            input = try EventFD(options).release().release().rawValue
            output = input
        }
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

    /// Closes both, the read end first.
    func close() {
        Glibc.close(input)
        if output != input { Glibc.close(output) }
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

/// Sets a futex's word and wakes one waiter.
@inline(__always) func signalFutex(_ word: SharedWord, _ meter: WorkerMeter?) {
    meter?.add(.systemCalls)
    word.value = 1
    _ = unsafe c_futex_wake(UnsafeMutableRawPointer(word.address).assumingMemoryBound(to: UInt32.self), 1)
}
