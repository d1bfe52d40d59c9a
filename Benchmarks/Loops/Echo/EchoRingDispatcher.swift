import LinuxDescriptors
import LinuxRings
import Meters
import SystemPackage

/// Waits for all connections with one ring, accepts new ones, and hands what is ready to the workers, until the stop
/// signal comes.
///
/// A poll that completes many times stays armed while a worker has the connection, which saves arming it again for each
/// message. So that no two workers read one connection, the connection's turn is noted (``EchoConnections/claim(_:)``):
/// what comes meanwhile lets the worker that has it look once more.
func dispatchFromRing(
    _ ring: inout Ring, _ listeners: inout RingListeners, connections: [CInt], _ queue: HandoffQueue,
    _ returned: ReturnedConnections, _ worker: inout EchoWorker
) throws(Errno) {
    let meter = worker.meter
    try ring.prepareMultishotPoll(returned.descriptor, .readable, token: Token(.receive).rawValue)
    try listeners.arm(on: &ring)
    for fd in connections { try pollConnection(&ring, fd, worker) }
    while true {
        try listeners.waitForCompletions(&ring, RingWaiting(), meter)
        var handed = 0
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            let token = Token(rawValue: completion.token)
            switch token.kind {
            case .stop:
                return try queue.give(handed, meter)
            case .listener:
                guard let connection = try listeners.acceptedDescriptor(completion, &ring, meter) else { continue }
                try begin(connection, &ring, worker)
            case .receive:
                let isArmed = completion.isArmed
                try takeReturned(returned, &ring, worker)
                if !isArmed { try ring.prepareMultishotPoll(returned.descriptor, .readable, token: token.rawValue) }
            case .connection:
                guard completion.error != .canceled, worker.connections.isOpen(token.fd) else { continue }
                if !completion.isArmed && !worker.closesAfterReply {
                    meter.add(.rearms)
                    try pollConnection(&ring, token.fd, worker)
                }
                guard worker.connections.claim(token.fd) else { continue }
                queue.put(token.fd)
                handed += 1
            default: break
            }
        }
        try queue.give(handed, meter)
    }
}

/// Polls a new connection, or closes it if there are too many.
private func begin(
    _ connection: consuming OwnedDescriptor, _ ring: inout Ring, _ worker: borrowing EchoWorker
) throws(Errno) {
    guard try worker.admits(connection.descriptor.rawValue) else {
        return try ring.prepareClose(connection, .skipSuccess, token: Token(.close).rawValue)
    }
    let fd = connection.release().rawValue
    worker.connections.began(fd)
    try pollConnection(&ring, fd, worker)
}

/// Does what workers wish for the connections that they gave back.
private func takeReturned(
    _ returned: ReturnedConnections, _ ring: inout Ring, _ worker: borrowing EchoWorker
) throws(Errno) {
    worker.meter.add(.systemCalls)
    for (fd, wish) in try returned.take() {
        switch wish {
        case .poll:
            worker.meter.add(.rearms)
            try pollConnection(&ring, fd, worker)
        case .close:
            let token = Token(.close, fd).rawValue
            try ring.prepareCancel(target: Token(.connection, fd).rawValue, .skipSuccess, token: token)
            let owned = OwnedDescriptor(owning: FileDescriptor(rawValue: fd))
            try ring.prepareClose(owned, .skipSuccess, token: token)
        }
    }
}

/// Echoes what the ring's thread hands over.
func echoDispatched(
    _ queue: HandoffQueue, _ returned: ReturnedConnections, _ worker: inout EchoWorker
) throws(Errno) {
    let meter = worker.meter
    while let fd = try queue.take(meter) {
        let before = worker.progress
        var outcome: EchoOutcome
        repeat {
            repeat { outcome = worker.receiveAndEcho(fd) } while outcome == .progress
        } while outcome == .empty && !worker.connections.giveUp(fd)
        if outcome == .closed && !worker.closesAfterReply {
            meter.add(.systemCalls)
            try returned.put(fd, .close)
        } else if outcome == .empty && worker.closesAfterReply {
            // Its one poll is used up, and its request not whole.
            meter.add(.systemCalls)
            try returned.put(fd, .poll)
        }
        if worker.progress == before { meter.add(.spuriousWakeups) }
    }
}
