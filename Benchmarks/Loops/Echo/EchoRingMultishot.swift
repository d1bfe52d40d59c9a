import LinuxDescriptors
import LinuxRings
import Meters
import SystemPackage

/// Echoes with receives that complete for every arrival, in buffers that the kernel picks, and sends from the same
/// buffers, until the stop signal comes. One `io_uring_enter(2)` hands over all sends that were due, and waits.
///
/// With a single message in flight that is two calls a message and not one: a send completes as it is handed over, so
/// its completion ends the wait, and the next call waits for the receive. With many, one call serves many.
func echoFromRingMultishot<Buffers: EchoBuffers & ~Copyable>(
    _ ring: inout Ring, _ waiting: RingWaiting, _ buffers: inout Buffers, _ streams: MultishotStreams,
    listeners: [CInt], connections: [CInt], _ worker: inout EchoWorker
) throws(Errno) {
    let meter = worker.meter
    var listeners = RingListeners(
        listeners.map { BorrowedDescriptor(rawValue: $0) }, into: streams.destination)
    try listeners.arm(on: &ring)
    for fd in connections { try streams.receive(fd, &ring) }
    while true {
        try listeners.waitForCompletions(&ring, waiting, meter)
        let before = worker.progress
        var (receives, bytes) = (0, 0)
        while let completion = ring.nextCompletion() {
            meter.add(.completions)
            let token = Token(rawValue: completion.token)
            switch token.kind {
            case .stop:
                return
            case .listener:
                worker.progress += 1
                try streams.began(listeners.accepted(completion, &ring, meter), &ring, worker)
            case .connection:
                worker.progress += 1
                try streams.takeOver(completion, &ring, worker)
            case .receive:
                if let buffer = completion.bufferIdentifier, completion.result > 0 {
                    worker.progress += 1
                    receives &+= 1
                    bytes &+= Int(completion.result)
                    try unsafe buffers.received(completion, buffer, token.fd, streams, &ring, &worker)
                    if !completion.isArmed { try streams.armAgain(token.fd, &ring, worker) }
                    // A client must not wait for the service of others: a busy worker hands each reply over at once.
                    if worker.isBusy { try submitAtOnce(&ring, meter) }
                } else if completion.error == .noBufferSpace {
                    meter.add(.buffersExhausted)
                    streams.waitForBuffer(token.fd)
                } else {
                    try streams.ended(token.fd, completion, &ring, worker)
                }
            case .send:
                if !completion.isNotification { worker.progress += 1 }
                try unsafe buffers.sent(completion, token.fd, streams, &ring, &worker)
            default:
                break
            }
        }
        if receives > 0 { meter.received(receives, bytes: bytes) }
        try streams.resumeReceives(&ring, meter)
        if worker.progress == before { meter.add(.spuriousWakeups) }
    }
}
