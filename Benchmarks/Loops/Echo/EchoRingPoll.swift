import LinuxDescriptors
import LinuxRings
import Meters
import SystemPackage

/// Echoes with ordinary calls what io_uring polls report, until the stop signal comes.
///
/// A poll that completes many times keeps its file open, so connections that end with their reply are polled once.
func echoFromRingPoll(
    _ ring: inout Ring, listeners: [CInt], connections: [CInt], _ worker: inout EchoWorker
) throws(Errno) {
    let meter = worker.meter
    for number in listeners {
        try ring.prepareMultishotPoll(
            BorrowedDescriptor(rawValue: number), .readable, token: Token(.listener, number).rawValue)
    }
    for number in connections { try pollConnection(&ring, number, worker) }
    while true {
        if worker.isShort { try waitShortly(&ring, meter) } else { try waitForCompletions(&ring, meter) }
        let before = worker.progress
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            let token = Token(rawValue: completion.token)
            if token.kind == .stop { return }
            if token.kind == .close || completion.error == .canceled { continue }
            if token.kind == .listener {
                while let number = try worker.accept(from: token.number) { try pollConnection(&ring, number, worker) }
                guard !completion.isArmed else { continue }
                meter.add(.rearms)
                try ring.prepareMultishotPoll(
                    BorrowedDescriptor(rawValue: token.number), .readable, token: token.rawValue)
                continue
            }
            // Posted before the connection was closed: the end of a peer is an event of its own.
            guard worker.connections.isOpen(token.number) else { continue }
            var outcome: EchoOutcome
            repeat { outcome = worker.receiveAndEcho(token.number) } while outcome == .progress
            if outcome == .closed {
                // The poll holds the file: without this the peer would never see the close.
                if completion.isArmed { try ring.prepareCancel(target: token.rawValue, token: Token(.close).rawValue) }
                continue
            }
            if completion.isArmed { continue }
            if !worker.closesAfterReply { meter.add(.rearms) }
            try pollConnection(&ring, token.number, worker)
        }
        if worker.progress == before { meter.add(.spuriousWakeups) }
        if worker.isShort {
            for listener in worker.rest(since: before) {
                while let number = try worker.accept(from: listener) { try pollConnection(&ring, number, worker) }
            }
        }
    }
}

private func pollConnection(_ ring: inout Ring, _ number: CInt, _ worker: borrowing EchoWorker) throws(Errno) {
    let token = Token(.connection, number).rawValue
    if worker.closesAfterReply {
        try ring.preparePoll(BorrowedDescriptor(rawValue: number), .readable, token: token)
    } else {
        try ring.prepareMultishotPoll(BorrowedDescriptor(rawValue: number), .readable, token: token)
    }
}
