import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import Meters
import SystemPackage

/// Echoes with ordinary calls what an epoll set reports through a ring, level-triggered, and accepts where a listener is
/// watched, until the stop signal comes.
func echoFromRingEpoll(
    _ ring: inout Ring, _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ mode: Mode.Capabilities,
    _ worker: inout EchoWorker
) throws(Errno) {
    let meter = worker.meter
    unsafe try ring.prepareEpollWait(epoll.descriptor, into: events.memory, token: Token(.receive).rawValue)
    while true {
        if worker.hasShortage {
            try waitShortly(&ring, meter)
        } else {
            try waitForCompletions(&ring, RingWaiting(), meter)
        }
        let before = worker.progress
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            if let error = completion.error { throw error }
            for index in 0..<Int(completion.result) {
                let token = Token(rawValue: events[index].token)
                switch token.kind {
                case .stop: return
                case .listener: _ = try acceptInto(epoll, token.fd, mode, &worker)
                default: _ = worker.receiveAndEcho(token.fd)
                }
            }
            unsafe try ring.prepareEpollWait(epoll.descriptor, into: events.memory, token: completion.token)
        }
        if worker.progress == before { meter.add(.spuriousWakeups) }
        if worker.hasShortage {
            for listener in worker.pauseInShortage(since: before) {
                while try acceptInto(epoll, listener, mode, &worker) == .progress {}
            }
        }
    }
}
