import Glibc
import Meters
import SystemPackage

/// Echoes what poll reports, and accepts where a listener is watched, until the stop signal comes.
func echoFromPoll(_ set: inout PollSet, _ worker: inout EchoWorker) throws(Errno) {
    let meter = worker.meter
    let spin = worker.spinNanoseconds
    while true {
        try set.wait(spinning: spin, meter)
        let before = worker.progress
        if set.entries[0].revents != 0 { return }
        // Backwards, because removing an entry moves the last one into its place.
        for index in stride(from: set.entries.count - 1, through: set.firstConnection, by: -1)
        where set.entries[index].revents != 0 {
            if worker.receiveAndEcho(set.entries[index].fd) == .closed { set.remove(at: index) }
        }
        for index in 1..<set.firstConnection where set.entries[index].revents != 0 {
            if let fd = try worker.accept(from: set.entries[index].fd) { set.add(fd) }
        }
        if worker.progress == before { meter.add(.spuriousWakeups) }
        if worker.hasShortage { _ = worker.pauseInShortage(since: before) }
    }
}
