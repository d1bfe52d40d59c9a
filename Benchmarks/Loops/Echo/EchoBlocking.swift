import LinuxSockets
import Meters
import SystemPackage

/// Echoes for one connection by waiting in `recv(2)`, until it is shut down: a thread for each connection.
func echoBlocking(_ connection: CInt, _ worker: inout EchoWorker) throws(Errno) {
    while true {
        let outcome = worker.receiveAndEcho(connection)
        if outcome == .closed { return }
        worker.meter.add(.wakeups)
    }
}

/// Accepts by waiting in `accept4(2)`, and answers that connection until it ends, until the listener is shut down.
func answerBlocking(_ listener: CInt, _ worker: inout EchoWorker) throws(Errno) {
    while true {
        do throws(Errno) {
            // Every wait that brought something, a connection or bytes.
            let before = worker.progress
            defer { worker.meter.add(.wakeups, worker.progress - before) }
            guard let connection = try worker.accept(from: listener) else {
                if worker.hasShortage { _ = worker.pauseInShortage(since: before) }
                continue
            }
            // Accepted after the others were shut down, it would not be told of the end.
            while worker.meter[.stopped] == 0, worker.receiveAndEcho(connection) != .closed {}
        } catch .invalidArgument {
            return
        }
    }
}
