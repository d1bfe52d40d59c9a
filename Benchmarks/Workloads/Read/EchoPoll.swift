import Glibc
import Meters
import SystemPackage

/// The array of `poll(2)`: the stop signal, the listeners, then the connections.
@safe struct PollSet: ~Copyable {
    private(set) var entries: [pollfd]
    let firstConnection: Int

    init(stop: CInt, listeners: [CInt], connections: [CInt], capacity: Int) {
        entries = []
        entries.reserveCapacity(capacity + listeners.count + 1)
        firstConnection = 1 + listeners.count
        for number in [stop] + listeners + connections { add(number) }
    }

    mutating func add(_ number: CInt) {
        entries.append(pollfd(fd: number, events: Int16(POLLIN), revents: 0))
    }

    /// Takes the place of the entry with the last one.
    mutating func remove(at index: Int) {
        entries.swapAt(index, entries.count - 1)
        entries.removeLast()
    }

    /// Waits until something is ready (`poll(2)`).
    mutating func wait() throws(Errno) {
        while true {
            let result = unsafe entries.withUnsafeMutableBufferPointer {
                unsafe poll($0.baseAddress, nfds_t($0.count), -1)
            }
            if result > 0 { return }
            if errno != EINTR { throw Errno(rawValue: errno) }
        }
    }
}

/// Echoes what poll reports, and accepts where a listener is watched, until the stop signal comes.
func echoFromPoll(_ set: inout PollSet, _ worker: inout EchoWorker) throws(Errno) {
    let meter = worker.meter
    while true {
        try set.wait()
        meter.add(.systemCalls)
        meter.add(.wakeups)
        let before = worker.progress
        if set.entries[0].revents != 0 { return }
        // Backwards, because removing an entry moves the last one into its place.
        for index in stride(from: set.entries.count - 1, through: set.firstConnection, by: -1)
        where set.entries[index].revents != 0 {
            if worker.receiveAndEcho(set.entries[index].fd) == .closed { set.remove(at: index) }
        }
        for index in 1..<set.firstConnection where set.entries[index].revents != 0 {
            if let number = try worker.accept(from: set.entries[index].fd) { set.add(number) }
        }
        if worker.progress == before { meter.add(.spuriousWakeups) }
        if worker.isShort { _ = worker.rest(since: before) }
    }
}
