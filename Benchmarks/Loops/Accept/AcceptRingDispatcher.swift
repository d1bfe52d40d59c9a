import LinuxDescriptors
import LinuxRings
import Meters
import SystemPackage

/// Accepts all connections with one ring and hands them to the workers through a queue, until the stop signal comes.
func dispatchAccepted(
    _ ring: inout Ring, _ listeners: inout RingListeners, _ queue: HandoffQueue, _ meter: WorkerMeter
) throws(Errno) {
    try listeners.arm(on: &ring)
    while true {
        try listeners.waitForCompletions(&ring, RingWaiting(), meter)
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            if Token(rawValue: completion.token).kind == .stop { return }
            guard let connection = try listeners.acceptedDescriptor(completion, &ring, meter) else { continue }
            queue.put(connection.release().rawValue)
            meter.noteOpen(queue.waiting)
            try queue.give(1, meter)
        }
    }
}
