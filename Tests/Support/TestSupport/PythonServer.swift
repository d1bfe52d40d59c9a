import Foundation

/// Small servers in Python, which is on every machine that runs the tests, as commands of the shell.
public enum PythonServer {
    /// Answers every message with itself, `before` having been done first; `onConnection` and `onData` are lines that see
    /// `connection` and `data`.
    public static func echo(
        before: String = "", onConnection: String = "pass", onData: String = "pass"
    ) -> String {
        command(
            """
            import os, signal, socket, sys, time, selectors
            served = 0
            \(before)
            listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=512)
            listener.setblocking(False)
            selector = selectors.DefaultSelector()
            selector.register(listener, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is listener:
                        connection, _ = listener.accept()
                        served += 1
                        selector.register(connection, selectors.EVENT_READ)
                        \(onConnection)
                        continue
                    try:
                        data = key.fileobj.recv(65536)
                        \(onData)
                        if data: key.fileobj.sendall(data)
                    except OSError:
                        data = b""
                    if not data:
                        selector.unregister(key.fileobj)
                        key.fileobj.close()
            """)
    }

    /// A program in Python, its port as its first argument.
    public static func command(_ program: String) -> String {
        "exec python3 -c '\(program)' {port}"
    }
}

/// A file of its own for each value, removed with it.
public final class TemporaryFile: Sendable {
    /// Where it is; nothing is there yet.
    public let path: String

    /// Names a file.
    public init() {
        path = FileManager.default.temporaryDirectory.appending(path: "test-\(UUID().uuidString)").path()
    }

    /// What was written into it.
    public var text: String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// True once a condition holds, which is looked at until patience is over.
public func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = Date(timeIntervalSinceNow: Double(patienceMilliseconds) / 1000)
    while Date() < deadline {
        if try condition() { return true }
        // What other processes do is told by nothing that could be waited for.
        usleep(2000)
    }
    return false
}

/// True if a process is there that has not ended.
public func isAlive(_ process: Int32) -> Bool {
    guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
        let name = stat.lastIndex(of: ")")
    else { return false }
    return !["Z", "X"].contains(stat[stat.index(name, offsetBy: 2)])
}
