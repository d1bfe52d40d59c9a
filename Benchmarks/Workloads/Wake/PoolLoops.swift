import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import Meters
import SystemPackage

// The loops of consumers that have one long-lived signal each: do what is queued, wait for a signal, again.

@inline(never)
func consumeInRead(_ input: BorrowedDescriptor, _ inbox: inout PoolInbox) throws(Errno) {
    while inbox.mustWait() { try waitInRead(input, inbox.meter) }
}

@inline(never)
func consumeOnFutex(_ word: SharedWord, _ inbox: inout PoolInbox) throws(Errno) {
    while inbox.mustWait() { try waitOnFutex(word, inbox.meter) }
}

@inline(never)
func consumeInSelect(_ set: inout SelectSet, _ input: BorrowedDescriptor, _ inbox: inout PoolInbox) throws(Errno) {
    while inbox.mustWait() { try waitInSelect(&set, input, inbox.meter) }
}

@inline(never)
func consumeInPoll(_ set: inout PollSet, _ input: BorrowedDescriptor, _ inbox: inout PoolInbox) throws(Errno) {
    while inbox.mustWait() { try waitInPoll(&set, input, inbox.meter) }
}

@inline(never)
func consumeInEpoll(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ input: BorrowedDescriptor, drains: Bool,
    _ inbox: inout PoolInbox
) throws(Errno) {
    while inbox.mustWait() { try waitInEpoll(epoll, events, input, drains: drains, inbox.meter) }
}

@inline(never)
func consumeInOneShot(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ input: BorrowedDescriptor,
    _ inbox: inout PoolInbox
) throws(Errno) {
    while inbox.mustWait() { try waitInOneShot(epoll, events, input, inbox.meter) }
}

@inline(never)
func consumeInRingRead(_ ring: inout Ring, _ channel: WakeChannel, _ inbox: inout PoolInbox) throws(Errno) {
    while inbox.mustWait() { try waitInRingRead(&ring, channel, inbox.meter) }
}

@inline(never)
func consumeInRingPoll(
    _ ring: inout Ring, _ input: BorrowedDescriptor, drains: Bool, _ inbox: inout PoolInbox
) throws(Errno) {
    while inbox.mustWait() { try waitInRingPoll(&ring, input, drains: drains, inbox.meter) }
}

@inline(never)
func consumeInMessages(_ ring: inout Ring, _ inbox: inout PoolInbox) throws(Errno) {
    while inbox.mustWait() { try waitForMessage(&ring, inbox.meter) }
}
