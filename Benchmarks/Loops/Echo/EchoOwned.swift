import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import Meters
import SystemPackage

/// Echoes what an `InterestSet` reports, and accepts where a listener is watched, until the stop signal comes. The set
/// receives, sends and closes.
func echoFromInterestSet(
    _ set: inout InterestSet, _ stop: InterestToken, _ listeners: [InterestToken], _ worker: inout EchoWorker
) throws(Errno) {
    let meter = worker.meter
    let spin = worker.spinNanoseconds
    while true {
        let isReady = spin == 0 ? false : try set.look(spin, meter)
        if !isReady {
            if worker.hasShortage { _ = try set.wait(timeout: .milliseconds(10)) } else { _ = try set.wait() }
        }
        meter.add(.systemCalls)
        meter.add(.wakeups)
        let before = worker.progress
        while let event = set.nextEvent() {
            if event.token == stop { return }
            if listeners.contains(event.token) {
                guard let listener = set.descriptor(of: event.token),
                    let fd = try worker.accept(from: listener.rawValue)
                else { continue }
                // Registers it, and asks what it is.
                _ = try set.insert(OwnedDescriptor(owning: FileDescriptor(rawValue: fd)), .readable)
                meter.add(.systemCalls, 2)
            } else if receiveAndEcho(event.token, set, &worker) == .closed {
                // Ends its registration, and closes it.
                try set.close(event.token)
                meter.add(.systemCalls, 2)
            }
        }
        if worker.progress == before { meter.add(.spuriousWakeups) }
        if worker.hasShortage { _ = worker.pauseInShortage(since: before) }
    }
}

@inline(__always)
private func receiveAndEcho(
    _ token: InterestToken, _ set: borrowing InterestSet, _ worker: inout EchoWorker
) -> EchoOutcome {
    let fd = CInt(token.number)
    let receipt = unsafe worker.receive(fd) { memory in
        var bytes = unsafe MutableRawSpan(_unsafeBytes: memory)
        return result { () throws(Errno) in try set.receive(from: token, into: &bytes) }
    }
    return unsafe worker.echo(fd, receipt) { memory in
        let bytes = unsafe RawSpan(_unsafeBytes: memory)
        return result { () throws(Errno) in try set.send(bytes, to: token) }
    }
}

/// The number of bytes that a call moved, or a negative error number.
@inline(__always)
private func result(_ call: () throws(Errno) -> Int?) -> Int {
    do throws(Errno) {
        return try call() ?? -Int(EAGAIN)
    } catch {
        return -Int(error.rawValue)
    }
}
