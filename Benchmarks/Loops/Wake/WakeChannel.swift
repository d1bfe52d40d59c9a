import CBenchExtras
import LinuxDescriptors
import LinuxReadiness
package import LinuxRings
import Meters
package import SystemPackage

/// How one thread is woken: what it waits for, and what others write to.
package final class WakeChannel: Sendable {
    let signal: WakeSignal
    /// What the woken thread reads; borrowed from the channel.
    let input: BorrowedDescriptor
    /// What the others write; the same as `input` but of a pipe.
    let output: BorrowedDescriptor
    /// The word that a futex waits on: 1 when signalled. On a little-endian machine its lower half comes first.
    let futexWord: SharedWord
    private let ends: SignalEnds?
    /// The number of the woken thread, to which a signal is sent; 0 while there is none.
    let thread: SharedWord
    private let words = SharedWords(count: 4)

    init(_ signal: WakeSignal, nonblocking: Bool) throws(Errno) {
        self.signal = signal
        ends = signal.hasDescriptor ? try SignalEnds(signal, nonblocking: nonblocking) : nil
        input = BorrowedDescriptor(rawValue: ends?.input ?? -1)
        output = BorrowedDescriptor(rawValue: ends?.output ?? -1)
        futexWord = words[0]
        thread = words[3]
    }

    /// Makes descriptors that suit the mode: a blocking read must wait, and so must a ring's; a read after a report
    /// of readiness must not.
    package convenience init(_ signal: WakeSignal, for mode: Mode) throws(Errno) {
        try self.init(signal, nonblocking: !mode.capabilities.socketsBlock)
    }

    deinit {
        ends?.close()
    }

    /// Where a ring's read of `input` goes: it outlives the loop, whose read may still be under way.
    @unsafe var readBuffer: UnsafeMutableRawBufferPointer {
        // Words lie as far apart as the longest record is.
        assert(signal.recordBytes <= 8 * SharedWords.wordsApart)
        return unsafe UnsafeMutableRawBufferPointer(start: words[1].address, count: signal.recordBytes)
    }

    /// What the woken thread reads, and where it goes.
    var signals: SignalInput { unsafe SignalInput(input, into: readBuffer) }

    /// The ring of the woken thread; -1 before it has one.
    var ring: BorrowedDescriptor {
        get { BorrowedDescriptor(rawValue: CInt(truncatingIfNeeded: words[2].value) &- 1) }
        set { words[2].value = UInt64(newValue.rawValue) + 1 }
    }

    /// Lets the calling thread be the one that signals are sent to; returns what it blocked before.
    func beginReceiving() throws(Errno) -> SignalSet {
        let blocked = try ThreadSignal.block()
        thread.value = UInt64(c_gettid())
        return blocked
    }

    /// Ends that. What nobody has read goes to the handler that does nothing, so that none is left pending.
    func endReceiving(_ blocked: SignalSet) {
        thread.value = 0
        ThreadSignal.unblock(blocked)
    }

    /// Sends a signal to the thread, if there is one.
    package func sendThreadSignal() throws(Errno) { try ThreadSignal().send(to: thread.value, nil) }

    /// Signals a futex or a descriptor.
    @inline(__always) package func send() throws(Errno) {
        if signal == .futex { signalFutex(futexWord, nil) } else { try writeSignal(output, nil) }
    }

    /// Prepares a message to the ring of the woken thread.
    @inline(__always) func prepareMessage(from sender: inout Ring) throws(Errno) {
        try sender.prepareMessage(to: ring, messageToken: messageToken, .skipSuccess, token: 0)
    }

    /// Sends a message to the ring of the woken thread.
    package func sendMessage(from sender: inout Ring) throws(Errno) {
        try prepareMessage(from: &sender)
        try sender.submit()
        if let error = sender.nextCompletion()?.error { throw error }
    }

    /// Wakes the thread from one that has no ring, at the end of a run.
    package func wakeFromOutside() {
        do throws(Errno) {
            if signal == .signalfd { return try sendThreadSignal() }
            guard signal == .messageRing else { return try send() }
            guard ring.rawValue >= 0 else { return }
            var sender = try Ring(entries: 2)
            try sender.prepareMessage(to: ring, messageToken: messageToken, token: 0)
            try sender.submitAndWait()
        } catch {
            // The thread has ended already and closed its ring.
        }
    }
}

/// The token of completions that stand for a signal.
let messageToken: UInt64 = 3

/// Sets a futex's word and wakes one waiter.
@inline(__always) func signalFutex(_ word: SharedWord, _ meter: WorkerMeter?) {
    meter?.add(.systemCalls)
    word.value = 1
    _ = unsafe c_futex_wake(UnsafeMutableRawPointer(word.address).assumingMemoryBound(to: UInt32.self), 1)
}
