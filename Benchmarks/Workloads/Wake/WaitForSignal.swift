import CBenchExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import Meters
import SystemPackage

// Every way of waiting for one signal, a function each. The loops of ping-pong and pool are these and nothing else
// between two signals. Each returns when it has taken a signal.

/// A blocking `read(2)`.
@inline(__always)
func waitInRead(_ input: BorrowedDescriptor, _ meter: WorkerMeter) throws(Errno) {
    _ = try readSignal(input, meter)
    meter.add(.wakeups)
}

/// `futex(2)`: waits while the word is 0, and takes it.
@inline(__always)
func waitOnFutex(_ word: SharedWord, _ meter: WorkerMeter) throws(Errno) {
    while word.exchange(0) == 0 {
        meter.add(.systemCalls)
        let result = unsafe c_futex_wait(
            UnsafeMutableRawPointer(word.address).assumingMemoryBound(to: UInt32.self), 0)
        if result != 0 && errno != EAGAIN && errno != EINTR { throw Errno(rawValue: errno) }
        meter.add(.wakeups)
    }
}

/// `select(2)` on the one descriptor, then `read(2)`.
@inline(__always)
func waitInSelect(_ set: inout SelectSet, _ input: BorrowedDescriptor, _ meter: WorkerMeter) throws(Errno) {
    while true {
        try set.wait()
        meter.add(.systemCalls)
        meter.add(.wakeups)
        if try readSignal(input, meter) { return }
        meter.add(.spuriousWakeups)
    }
}

/// `poll(2)` on the one descriptor, then `read(2)`.
@inline(__always)
func waitInPoll(_ set: inout PollSet, _ input: BorrowedDescriptor, _ meter: WorkerMeter) throws(Errno) {
    while true {
        try set.wait()
        meter.add(.systemCalls)
        meter.add(.wakeups)
        if try readSignal(input, meter) { return }
        meter.add(.spuriousWakeups)
    }
}

/// `epoll_wait(2)`, then `read(2)`: once, or until `EAGAIN` for a loop that `drains`.
@inline(__always)
func waitInEpoll(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ input: BorrowedDescriptor, drains: Bool,
    _ meter: WorkerMeter
) throws(Errno) {
    while true {
        _ = try epoll.wait(into: events)
        meter.add(.systemCalls)
        meter.add(.wakeups)
        if try takeReady(input, drains: drains, meter) { return }
        meter.add(.spuriousWakeups)
    }
}

/// `epoll_wait(2)`, `read(2)`, and `epoll_ctl(2)` to be told of the next signal.
@inline(__always)
func waitInOneShot(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ input: BorrowedDescriptor, _ meter: WorkerMeter
) throws(Errno) {
    while true {
        _ = try epoll.wait(into: events)
        meter.add(.systemCalls)
        meter.add(.wakeups)
        let taken = try readSignal(input, meter)
        try epoll.modify(input, oneShotFlags, token: UInt64(input.rawValue))
        meter.add(.systemCalls)
        if taken { return }
        meter.add(.spuriousWakeups)
    }
}

/// One io_uring read, submitted and waited for in one `io_uring_enter(2)`.
@inline(__always)
func waitInRingRead(_ ring: inout Ring, _ channel: WakeChannel, _ meter: WorkerMeter) throws(Errno) {
    unsafe try ring.prepareRead(channel.input, into: channel.readBuffer, token: messageToken)
    try waitForCompletion(&ring, meter)
    while let completion = ring.nextCompletion() {
        meter.add(.completions)
        if let error = completion.error { throw error }
    }
}

/// A multishot poll, armed before, then `read(2)`. Like an edge, it reports arrivals, so the loop may have to drain.
@inline(__always)
func waitInRingPoll(
    _ ring: inout Ring, _ input: BorrowedDescriptor, drains: Bool, _ meter: WorkerMeter
) throws(Errno) {
    while true {
        try waitForCompletion(&ring, meter)
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            if let error = completion.error { throw error }
            if completion.isArmed { continue }
            meter.add(.rearms)
            try ring.prepareMultishotPoll(input, .readable, token: messageToken)
        }
        if try takeReady(input, drains: drains, meter) { return }
        meter.add(.spuriousWakeups)
    }
}

/// A completion that another ring put into this one; the enter that waits also sends what was prepared.
@inline(__always)
func waitForMessage(_ ring: inout Ring, _ meter: WorkerMeter) throws(Errno) {
    while true {
        try waitForCompletion(&ring, meter)
        var taken = false
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            // A message that could not be sent.
            if let error = completion.error { throw error }
            if completion.token == messageToken { taken = true }
        }
        if taken { return }
        meter.add(.spuriousWakeups)
    }
}

/// Reads once, or until `EAGAIN`; true if there was a signal.
@inline(__always)
private func takeReady(_ input: BorrowedDescriptor, drains: Bool, _ meter: WorkerMeter) throws(Errno) -> Bool {
    let taken = try readSignal(input, meter)
    if drains && taken { while try readSignal(input, meter) {} }
    return taken
}

/// One `io_uring_enter(2)`, with what it submitted.
@inline(__always)
private func waitForCompletion(_ ring: inout Ring, _ meter: WorkerMeter) throws(Errno) {
    let taken = try ring.submitAndWait()
    meter.add(.systemCalls)
    meter.add(.submissions, UInt64(taken))
    meter.add(.wakeups)
}
