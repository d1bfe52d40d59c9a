// An echo server on SwiftNIO: echo PORT [WORKERS]
//
// The first event loop accepts, and connections go round the loops, which are a thread each. BackPressureHandler stops
// reading while the socket does not take what was read.
import Glibc
import NIOCore
import NIOPosix

/// Sends back what it receives.
final class Echo: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.write(data, promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

func giveUp(_ text: String, code: CInt) -> Never {
    let line = Array((text + "\n").utf8)
    _ = write(2, line, line.count)
    exit(code)
}

let numbers = CommandLine.arguments.dropFirst().map { Int($0) ?? 0 }
let port = numbers.first ?? 0
let workers = numbers.dropFirst().first ?? 1
guard (1...65535).contains(port), workers >= 1 else {
    giveUp("usage: echo PORT [WORKERS]", code: 64)
}

let server = ServerBootstrap(group: MultiThreadedEventLoopGroup(numberOfThreads: workers))
    .serverChannelOption(.backlog, value: 4096)
    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
    .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
    .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandlers(BackPressureHandler(), Echo())
        }
    }
do {
    try server.bind(host: "127.0.0.1", port: port).wait().closeFuture.wait()
} catch {
    giveUp("swiftnio: \(error)", code: 1)
}
