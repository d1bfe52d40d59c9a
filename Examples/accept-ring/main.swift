// A server that greets everybody and hangs up, with one io_uring: a multishot accept, and closes through the ring.

import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets

/// What a completion is about.
enum Token {
    static let accept: UInt64 = 1
    static let close: UInt64 = 2
    static let input: UInt64 = 3
}

func serve() throws {
    let listener = try Listener(.loopback())
    var ring = try Ring.forThisThread(entries: 64)
    var accept = MultishotAccept(listener: listener.descriptor, token: Token.accept)
    let greeting = Array("hello\n".utf8)

    try accept.arm(on: &ring)
    try ring.preparePoll(.standardInput, .readable, token: Token.input)
    print("greeting on \(try listener.address); Return ends it")
    fflush(nil)

    while true {
        if accept.shortage == nil {
            try ring.submitAndWait()
        } else {
            // Descriptors are used up: accept again when a close is done, or after a moment.
            _ = try ring.submitAndWait(timeout: .milliseconds(100))
            try accept.resume(on: &ring)
        }
        while let completion = ring.nextCompletion() {
            let token = completion.token
            switch token {
            case Token.accept:
                // nil: the kernel ended the request without a connection, and it is armed again or there is a shortage.
                guard case .descriptor(let accepted) = try accept.accepted(completion, on: &ring) else { continue }
                // It fits any socket's empty buffer. Whether the peer is still there shows only at the close.
                _ = try? accepted.descriptor.send(greeting.span.bytes, waiting: false)
                try ring.prepareClose(accepted, token: Token.close)
            case Token.input:
                return
            default:
                if let error = completion.error { print("close: \(error)") }
            }
        }
    }
}

do {
    try serve()
} catch {
    print("accept-ring: \(error); EPERM and ENOSYS mean that io_uring is forbidden or absent here")
    exit(1)
}
