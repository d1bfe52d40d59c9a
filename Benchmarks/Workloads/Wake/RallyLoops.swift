import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import Meters
import SystemPackage

// The loops of a ping-pong, the same on both sides: wait for a signal, note it, signal the other. Never inlined, so
// that a profiler finds them by name.

@inline(never)
func rallyInRead(_ input: BorrowedDescriptor, _ output: BorrowedDescriptor, _ side: borrowing RallySide) throws(Errno) {
    while true {
        try waitInRead(input, side.meter)
        guard side.goesOn() else { return }
        try writeSignal(output, side.meter)
    }
}

@inline(never)
func rallyOnFutex(_ mine: SharedWord, _ theirs: SharedWord, _ side: borrowing RallySide) throws(Errno) {
    while true {
        try waitOnFutex(mine, side.meter)
        guard side.goesOn() else { return }
        signalFutex(theirs, side.meter)
    }
}

@inline(never)
func rallyInSelect(
    _ set: inout SelectSet, _ input: BorrowedDescriptor, _ output: BorrowedDescriptor, _ side: borrowing RallySide
) throws(Errno) {
    while true {
        try waitInSelect(&set, input, side.meter)
        guard side.goesOn() else { return }
        try writeSignal(output, side.meter)
    }
}

@inline(never)
func rallyInPoll(
    _ set: inout PollSet, _ input: BorrowedDescriptor, _ output: BorrowedDescriptor, _ side: borrowing RallySide
) throws(Errno) {
    while true {
        try waitInPoll(&set, input, side.meter)
        guard side.goesOn() else { return }
        try writeSignal(output, side.meter)
    }
}

@inline(never)
func rallyInEpoll(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ input: BorrowedDescriptor,
    _ output: BorrowedDescriptor,
    drains: Bool, _ side: borrowing RallySide
) throws(Errno) {
    while true {
        try waitInEpoll(epoll, events, input, drains: drains, side.meter)
        guard side.goesOn() else { return }
        try writeSignal(output, side.meter)
    }
}

@inline(never)
func rallyInOneShot(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ input: BorrowedDescriptor,
    _ output: BorrowedDescriptor,
    _ side: borrowing RallySide
) throws(Errno) {
    while true {
        try waitInOneShot(epoll, events, input, side.meter)
        guard side.goesOn() else { return }
        try writeSignal(output, side.meter)
    }
}

@inline(never)
func rallyInRingRead(
    _ ring: inout Ring, _ channel: WakeChannel, _ output: BorrowedDescriptor, _ side: borrowing RallySide
) throws(Errno) {
    while true {
        try waitInRingRead(&ring, channel, side.meter)
        guard side.goesOn() else { return }
        try writeSignal(output, side.meter)
    }
}

@inline(never)
func rallyInRingPoll(
    _ ring: inout Ring, _ input: BorrowedDescriptor, _ output: BorrowedDescriptor, drains: Bool,
    _ side: borrowing RallySide
) throws(Errno) {
    while true {
        try waitInRingPoll(&ring, input, drains: drains, side.meter)
        guard side.goesOn() else { return }
        try writeSignal(output, side.meter)
    }
}

/// One system call for each wake: the enter that waits for the next message sends this one.
@inline(never)
func rallyInMessages(_ ring: inout Ring, _ partner: WakeChannel, _ side: borrowing RallySide) throws(Errno) {
    while true {
        try waitForMessage(&ring, side.meter)
        guard side.goesOn() else { return }
        try ring.prepareMessage(to: partner.ring, messageToken: messageToken, .skipSuccess, token: 0)
    }
}
