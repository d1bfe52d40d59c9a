import LinuxDescriptors
import LinuxReadiness
import Meters
import SystemPackage

/// Waits for all connections, accepts new ones, and hands what is ready to the workers, until the stop signal comes.
func dispatch(
    _ epoll: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ flags: EpollEvents, _ queue: HandoffQueue,
    _ worker: inout EchoWorker
) throws(Errno) {
    let meter = worker.meter
    let waiting = worker.waiting
    while true {
        let ready = try waiting.wait(in: epoll, events, meter)
        let before = worker.progress
        var handed = 0
        for index in 0..<ready {
            let token = Token(rawValue: events[index].token)
            switch token.kind {
            case .stop:
                return try queue.give(handed, meter)
            case .listener:
                guard let fd = try worker.accept(from: token.fd) else { continue }
                try epoll.add(
                    BorrowedDescriptor(rawValue: fd), flags, token: Token(.connection, fd).rawValue)
                meter.add(.systemCalls)
            default:
                queue.put(token.fd)
                handed += 1
            }
        }
        try queue.give(handed, meter)
        if worker.hasShortage && handed == 0 { _ = worker.pauseInShortage(since: before) }
    }
}

/// Echoes what the dispatcher hands over, and gives each connection back to the set.
func echoDispatched(
    _ queue: HandoffQueue, _ epoll: borrowing Epoll, _ flags: EpollEvents, _ worker: inout EchoWorker
) throws(Errno) {
    let meter = worker.meter
    while let fd = try queue.take(meter) {
        let before = worker.progress
        if worker.receiveAndEcho(fd) != .closed {
            try epoll.modify(
                BorrowedDescriptor(rawValue: fd), flags, token: Token(.connection, fd).rawValue)
            meter.add(.systemCalls)
        }
        if worker.progress == before { meter.add(.spuriousWakeups) }
    }
}
