import LinuxDescriptors
import LinuxReadiness
import Meters
import SystemPackage

/// The dispatcher's registrations report once, so that a connection is with one worker at a time.
let dispatchedFlags: EpollEvents = [.readable, .oneShot]

/// Waits for all connections, accepts new ones, and hands what is ready to the workers, until the stop signal comes.
func dispatch(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ queue: HandoffQueue, _ worker: inout EchoWorker
) throws(Errno) {
    let meter = worker.meter
    while true {
        let ready = try epoll.wait(into: events)
        meter.add(.systemCalls)
        meter.add(.wakeups)
        let before = worker.progress
        var handed = 0
        for index in 0..<ready {
            let token = Token(rawValue: events[index].token)
            switch token.kind {
            case .stop:
                return try queue.give(handed, meter)
            case .listener:
                guard let number = try worker.accept(from: token.number) else { continue }
                try epoll.add(
                    BorrowedDescriptor(rawValue: number), dispatchedFlags, token: Token(.connection, number).rawValue)
                meter.add(.systemCalls)
            default:
                queue.put(token.number)
                handed += 1
            }
        }
        try queue.give(handed, meter)
        if worker.isShort && handed == 0 { _ = worker.rest(since: before) }
    }
}

/// Echoes what the dispatcher hands over, and gives each connection back to the set.
func echoDispatched(
    _ queue: HandoffQueue, _ epoll: borrowing Epoll, _ worker: inout EchoWorker
) throws(Errno) {
    let meter = worker.meter
    while let number = try queue.take(meter) {
        let before = worker.progress
        if worker.receiveAndEcho(number) != .closed {
            try epoll.modify(
                BorrowedDescriptor(rawValue: number), dispatchedFlags, token: Token(.connection, number).rawValue)
            meter.add(.systemCalls)
        }
        if worker.progress == before { meter.add(.spuriousWakeups) }
    }
}
