// A server for strangers that sends back what it receives: a task for each connection, and one thread for all of them.

import Glibc
import LinuxDescriptors
import LinuxExecutors
import LinuxSockets
import SystemPackage

struct EchoServer: Sendable {
    let executor: any EventExecutor

    /// Serves until standard input can be read, or for ever if that is a file or /dev/null, which have no events.
    func run(_ listener: borrowing AsyncListener) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await endWithInput() }
            await welcome(listener)
        }
    }

    /// Accepts strangers, each of whom gets a task, until the executor is shut down.
    func welcome(_ listener: borrowing AsyncListener) async {
        await withDiscardingTaskGroup { group in
            while true {
                do throws(Errno) {
                    let connection = try await listener.accept()
                    group.addTask { await serve(connection) }
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

    /// Whatever goes wrong with a connection ends that connection and nothing else.
    func serve(_ connection: borrowing AsyncConnection) async {
        var bytes = [UInt8](repeating: 0, count: 4096)
        do throws(Errno) {
            while true {
                let count = try await connection.receive(into: &bytes)
                if count == 0 { return }
                try await connection.sendAll(bytes.span.bytes.extracting(0..<count))
            }
        } catch {}
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
        print("echoing on \(try listener.address); Return ends it")
        fflush(nil)
        Task(executorPreference: executor) { await EchoServer(executor: executor).run(listener) }
    } catch {
        print("echo-async: \(error)")
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
    print("echo-async: \(error); io_uring may be forbidden or absent here: try --set")
    exit(1)
}
