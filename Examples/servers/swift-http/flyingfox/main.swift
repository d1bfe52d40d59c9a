// An HTTP server on FlyingFox that answers GET / with 64 bytes: flyingfox PORT [WORKERS]
//
// FlyingFox waits on one thread and runs a task for each connection on Swift's own threads, as many as there are
// processors; WORKERS is taken and changes nothing.
import FlyingFox
import Foundation
import Glibc

let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 0
guard port > 0 else {
    FileHandle.standardError.write(Data("usage: flyingfox PORT [WORKERS]\n".utf8))
    exit(64)
}

let body = Data("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n".utf8)
let server = HTTPServer(address: try .inet(ip4: "127.0.0.1", port: port), logger: .disabled)
await server.appendRoute("GET /") { _ in
    HTTPResponse(statusCode: .ok, headers: [.contentType: "text/plain"], body: body)
}
do {
    try await server.run()
} catch {
    FileHandle.standardError.write(Data("flyingfox: \(error)\n".utf8))
    exit(1)
}
