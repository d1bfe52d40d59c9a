// An HTTP/1.1 server for strangers: each gets a task, and another one that ends it when they take too long, all on one
// thread.

import Glibc
import LinuxDescriptors
import LinuxExecutors
import LinuxSockets
import Synchronization
import SystemPackage

enum Limits {
    static let headBytes = 8192
    static let bodyBytes = 1 << 20
    static let connections = 512
    /// From one answer to the next, or to the end of the connection.
    static let time = Duration.seconds(5)
}

enum Status: String, Error {
    case ok = "200 OK"
    case malformed = "400 Bad Request"
    case methodNotAllowed = "405 Method Not Allowed"
    case bodyTooLarge = "413 Content Too Large"
    case headTooLarge = "431 Request Header Fields Too Large"
    case otherVersion = "505 HTTP Version Not Supported"
}

/// A stranger who is connected.
final class Client: Sendable {
    private let connection: AsyncConnection
    private let executor: any EventExecutor
    private let deadline = Mutex(SuspendingClock.now + Limits.time)

    init(_ connection: consuming AsyncConnection, on executor: any EventExecutor) {
        self.connection = connection
        self.executor = executor
    }

    /// Whatever goes wrong with a connection ends that connection and nothing else.
    func serve() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await self.converse() }
            group.addTask { await self.waitForDeadline() }
            await group.next()
            group.cancelAll()
        }
    }

    private func converse() async throws(Errno) {
        var conversation = Conversation()
        var bytes = [UInt8](repeating: 0, count: 4096)
        while !conversation.isOver {
            let count = try await connection.receive(into: &bytes)
            if count == 0 { return }
            // All requests that have come are answered at once.
            let answers = conversation.take(bytes[..<count])
            if answers.isEmpty { continue }
            deadline.withLock { $0 = .now + Limits.time }
            try await connection.sendAll(answers.utf8.span.bytes)
        }
        // Closing with something left to read would be a reset, which destroys answers on their way.
        try connection.finishSending()
        while try await connection.receive(into: &bytes) > 0 {}
    }

    /// The deadline moves while this sleeps, so an answer costs no timer.
    private func waitForDeadline() async {
        while true {
            let left = SuspendingClock.now.duration(to: deadline.withLock { $0 })
            guard left > .zero, (try? await executor.sleep(for: left)) != nil else { return }
        }
    }
}

struct HelloServer: Sendable {
    let executor: any EventExecutor

    /// Serves until standard input can be read, or for ever if that is a file or /dev/null, which have no events.
    func run(_ listener: borrowing AsyncListener) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await endWithInput() }
            await welcome(listener)
        }
    }

    /// Accepts strangers until the executor is shut down; those who find no place wait in the listener's queue.
    func welcome(_ listener: borrowing AsyncListener) async {
        await withTaskGroup(of: Void.self) { group in
            var places = Limits.connections
            while true {
                if places == 0 {
                    await group.next()
                    places += 1
                }
                do throws(Errno) {
                    let client = Client(try await listener.accept(), on: executor)
                    group.addTask { await client.serve() }
                    places -= 1
                } catch {
                    // An error of one connection took that one out of the queue: the next can be accepted.
                    if error.isOfOneConnection { continue }
                    guard error.isShortage else { return executor.beginShutdown() }
                    // The connection stays in the queue, and an accept would fail again at once.
                    try? await executor.sleep(for: .milliseconds(100))
                }
            }
        }
    }

    func endWithInput() async {
        var status = stat()
        guard fstat(0, &status) == 0 else { return }
        let canWait = [S_IFIFO, S_IFSOCK].contains(status.st_mode & S_IFMT) || isatty(0) == 1
        guard canWait, (try? await executor.waitUntilReadable(.standardInput)) != nil else { return }
        executor.beginShutdown()
    }
}

/// Begins serving; with an executor that has the main thread, when that runs.
func begin(_ executor: some EventExecutor) {
    do {
        let listener = try AsyncListener(Listener(.loopback()), on: executor)
        print("serving on \(try listener.address); Return ends it")
        fflush(nil)
        Task(executorPreference: executor) { await HelloServer(executor: executor).run(listener) }
    } catch {
        print("http-hello: \(error)")
        exit(1)
    }
}

do {
    _ = try DescriptorLimit.raise()
    if CommandLine.arguments.contains("--set") {
        try SetExecutor.runOnThisThread { begin($0) }
    } else {
        try RingExecutor.runOnThisThread { begin($0) }
    }
} catch {
    print("http-hello: \(error); io_uring may be forbidden or absent here: try --set")
    exit(1)
}
