// An HTTP server on Hummingbird that answers GET / with 64 bytes: hummingbird PORT [WORKERS]
//
// WORKERS are the threads of SwiftNIO that connections go round; handlers run on Swift's own threads.
import Glibc
import Hummingbird
import Logging
import NIOPosix

func giveUp(_ text: String, code: CInt) -> Never {
    let line = Array((text + "\n").utf8)
    _ = write(2, line, line.count)
    exit(code)
}

let numbers = CommandLine.arguments.dropFirst().map { Int($0) ?? 0 }
let port = numbers.first ?? 0
let workers = numbers.dropFirst().first ?? 1
guard (1...65535).contains(port), workers >= 1 else { giveUp("usage: hummingbird PORT [WORKERS]", code: 64) }

let body = ByteBuffer(string: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n")
let router = Router()
router.get("/") { _, _ in
    Response(status: .ok, headers: [.contentType: "text/plain"], body: .init(byteBuffer: body))
}
var logger = Logger(label: "hummingbird")
logger.logLevel = .critical
let server = Application(
    router: router, configuration: .init(address: .hostname("127.0.0.1", port: port), backlog: 4096),
    eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup(numberOfThreads: workers)), logger: logger)
do {
    try await server.runService()
} catch {
    giveUp("hummingbird: \(error)", code: 1)
}
