import LinuxDescriptors
import LinuxRings
import Meters
import SystemPackage

/// Echoes with ordinary calls what io_uring polls report, until the stop signal comes.
///
/// A poll that completes many times keeps its file open, so connections that end with their reply are polled once.
func echoFromRingPoll(
    _ ring: inout Ring, _ waiting: RingWaiting, listeners: [CInt], connections: [CInt], _ worker: inout EchoWorker
) throws(Errno) {
    let meter = worker.meter
    for fd in listeners {
        try ring.prepareMultishotPoll(
            BorrowedDescriptor(rawValue: fd), .readable, token: Token(.listener, fd).rawValue)
    }
    for fd in connections { try pollConnection(&ring, fd, worker) }
    while true {
        if worker.hasShortage { try waitShortly(&ring, meter) } else { try waitForCompletions(&ring, waiting, meter) }
        let before = worker.progress
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            let token = Token(rawValue: completion.token)
            if token.kind == .stop { return }
            if token.kind == .close || completion.error == .canceled { continue }
            if token.kind == .listener {
                while let fd = try worker.accept(from: token.fd) { try pollConnection(&ring, fd, worker) }
                guard !completion.isArmed else { continue }
                meter.add(.rearms)
                try ring.prepareMultishotPoll(
                    BorrowedDescriptor(rawValue: token.fd), .readable, token: token.rawValue)
                continue
            }
            // Posted before the connection was closed: the end of a peer is an event of its own.
            guard worker.connections.isOpen(token.fd) else { continue }
            var outcome: EchoOutcome
            repeat { outcome = worker.receiveAndEcho(token.fd) } while outcome == .progress
            if outcome == .closed {
                // The poll holds the file: without this the peer would never see the close.
                if completion.isArmed { try ring.prepareCancel(target: token.rawValue, token: Token(.close).rawValue) }
                continue
            }
            if completion.isArmed { continue }
            if !worker.closesAfterReply { meter.add(.rearms) }
            try pollConnection(&ring, token.fd, worker)
        }
        if worker.progress == before { meter.add(.spuriousWakeups) }
        if worker.hasShortage {
            for listener in worker.pauseInShortage(since: before) {
                while let fd = try worker.accept(from: listener) { try pollConnection(&ring, fd, worker) }
            }
        }
    }
}

/// Polls a connection many times, or once if it ends with its reply.
func pollConnection(_ ring: inout Ring, _ fd: CInt, _ worker: borrowing EchoWorker) throws(Errno) {
    let token = Token(.connection, fd).rawValue
    if worker.closesAfterReply {
        try ring.preparePoll(BorrowedDescriptor(rawValue: fd), .readable, token: token)
    } else {
        try ring.prepareMultishotPoll(BorrowedDescriptor(rawValue: fd), .readable, token: token)
    }
}
