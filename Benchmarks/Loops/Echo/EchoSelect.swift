import Glibc
import Meters
import SystemPackage

/// Echoes what select reports, and accepts where a listener is watched, until the stop signal comes.
func echoFromSelect(_ set: inout SelectSet, _ worker: inout EchoWorker) throws(Errno) {
    let meter = worker.meter
    let spin = worker.spinNanoseconds
    while true {
        try set.wait(spinning: spin, meter)
        let before = worker.progress
        if set.isReady(set.descriptors[0]) { return }
        // Backwards, because removing a descriptor moves the last one into its place.
        for index in stride(from: set.descriptors.count - 1, through: set.firstConnection, by: -1)
        where set.isReady(set.descriptors[index]) {
            if worker.receiveAndEcho(set.descriptors[index]) == .closed { set.remove(at: index) }
        }
        for index in 1..<set.firstConnection where set.isReady(set.descriptors[index]) {
            if let fd = try worker.accept(from: set.descriptors[index]) { try set.add(fd) }
        }
        if worker.progress == before { meter.add(.spuriousWakeups) }
        if worker.hasShortage { _ = worker.pauseInShortage(since: before) }
    }
}
