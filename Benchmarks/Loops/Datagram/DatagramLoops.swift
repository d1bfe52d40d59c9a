import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import Meters
import SystemPackage

/// Waits in the receive itself, until a shutdown ends it. Each receive that brought something counts as a wakeup.
func echoDatagramsBlocking(_ worker: inout DatagramWorker) throws(Errno) {
    let meter = worker.meter
    while meter[.stopped] == 0 {
        if try worker.echo() > 0 { meter.add(.wakeups) }
    }
}

/// Echoes what poll reports, until the stop signal comes.
func echoDatagramsFromPoll(_ set: inout PollSet, _ worker: inout DatagramWorker) throws(Errno) {
    let meter = worker.meter
    while true {
        try set.wait()
        meter.add(.systemCalls)
        meter.add(.wakeups)
        if set.entries[0].revents != 0 { return }
        if try worker.echo() == 0 { meter.add(.spuriousWakeups) }
    }
}

/// Echoes what epoll reports, until the stop signal comes.
func echoDatagramsFromEpoll(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, drains: Bool, _ worker: inout DatagramWorker
) throws(Errno) {
    let meter = worker.meter
    while true {
        let ready = try epoll.wait(into: events, timeout: nil)
        meter.add(.systemCalls)
        meter.add(.wakeups)
        var received = 0
        for index in 0..<ready {
            if Token(rawValue: events[index].token).kind == .stop { return }
            var count: Int
            repeat {
                count = try worker.echo()
                received += count
            } while drains && count > 0 && meter[.stopped] == 0
        }
        if received == 0 { meter.add(.spuriousWakeups) }
    }
}

/// Echoes with one receive that completes for every datagram, in buffers that the kernel picks, and sends by ordinary
/// calls, until the stop signal comes.
func echoDatagramsFromRing(
    _ ring: inout Ring, _ group: inout BufferGroup, _ layout: MessageLayout, _ worker: inout DatagramWorker
) throws(Errno) {
    let meter = worker.meter
    let socket = worker.file
    try ring.prepareMultishotReceiveMessage(socket, from: group.identifier, layout, token: Token(.receive).rawValue)
    while true {
        try waitForCompletions(&ring, RingWaiting(), meter)
        var (isArmed, hasProgress) = (true, false)
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            if Token(rawValue: completion.token).kind == .stop { return }
            if let buffer = completion.bufferIdentifier {
                if let message = group.message(in: buffer, count: Int(completion.result), layout) {
                    worker.answer(message.payload, to: message.address)
                    hasProgress = true
                }
                group.recycle(buffer)
            } else if completion.error == .noBufferSpace {
                meter.add(.buffersExhausted)
            } else if let error = completion.error {
                throw error
            }
            if !completion.isArmed { isArmed = false }
        }
        // All buffers are back by now.
        if !isArmed {
            try ring.prepareMultishotReceiveMessage(
                socket, from: group.identifier, layout, token: Token(.receive).rawValue)
            meter.add(.rearms)
        }
        if !hasProgress { meter.add(.spuriousWakeups) }
    }
}
