import LinuxSockets
import TestSupport
import Testing

@testable import Meters
@testable import Servers

/// Which sockets of a server are connections that its clients have closed and it has not.
@Suite struct LeftConnectionTests {
    private let output = TemporaryFile()

    private func start(_ command: String) throws -> ServerProcess { try ServerProcess(.theirs(command, output)) }

    private func use(_ server: ServerProcess, connections: Int) throws {
        for _ in 0..<connections { #expect(try echoes(server.address)) }
    }

    private func leak(_ command: String, connections: Int = 4) throws -> String? {
        let server = try start(command)
        try use(server, connections: connections)
        let leak = server.leak()
        #expect(server.end(windowEnd: 1).remarks.isEmpty)
        return leak?.description
    }

    @Test func oneConnectionThatIsKeptIsFound() throws {
        let keepsOne = PythonServer.echo(
            before: "kept = []", onConnection: "served == 3 and kept.append(connection.dup())")
        let leak = try leak(keepsOne)
        #expect(leak?.contains("1 connection was still open in the server") == true, "\(leak ?? "no leak")")
    }

    /// A connection that the server has shut down is in no table of the kernel when its client is gone.
    @Test func connectionsThatWereShutDownAndKeptAreFound() throws {
        let keeps = PythonServer.echo(
            before: "kept = []",
            onData:
                "data and kept.append((key.fileobj.sendall(data), key.fileobj.dup(), key.fileobj.shutdown(2))); data = b\"\""
        )
        let leak = try leak(keeps)
        #expect(leak?.contains("4 connections were still open in the server") == true, "\(leak ?? "no leak")")
    }

    @Test(arguments: [
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)",
        "socket.socket()", "socket.socketpair()", "socket.create_server((\"127.0.0.1\", 0))",
        // Bound to the server's own port, as one of several listeners is before it listens.
        "bind(listener.getsockname())",
        "socket.create_connection(listener.getsockname())",
    ]) func socketsOfOtherKindsAreNoLeak(_ expression: String) throws {
        let before = """
            held = []
            create = socket.create_server
            socket.create_server = lambda address, **more: create(address, reuse_port=True, **more)
            def bind(address):
                other = socket.socket()
                other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                other.bind(address)
                return other
            """
        let server = PythonServer.echo(before: before, onConnection: "served == 3 and held.append(\(expression))")
        let leak = try leak(server)
        #expect(leak == nil, "\(leak ?? "")")
    }

    @Test func theConnectionOfAnotherClientIsNoLeak() throws {
        let server = try start(PythonServer.echo())
        let port = try #require(server.address.port)
        let ready = TemporaryFile()
        let client = try KeptProgram(
            "/usr/bin/env",
            [
                "python3", "-c",
                """
                import socket, time
                connection = socket.create_connection(("127.0.0.1", \(port)))
                connection.sendall(b"x")
                open("\(ready.path)", "wb").write(connection.recv(1))
                time.sleep(600)
                """,
            ])
        #expect(eventually { ready.text == "x" })
        try use(server, connections: 4)
        #expect(server.leak() == nil)
        #expect(client.hasEnded(by: 0) == false)
        _ = server.end(windowEnd: 1)
    }

    /// A unix listener may be bound by another spelling of its path than clients use.
    @Test(arguments: [".", "link"], [false, true]) func aUnixPathMayBeSpeltOtherwise(
        _ folder: String, _ keeps: Bool
    ) throws {
        let program = """
            import os, socket, sys
            kept = []
            folder, name = os.path.split(sys.argv[1])
            os.chdir(folder)
            os.symlink(".", "link")
            listener = socket.socket(socket.AF_UNIX)
            listener.bind("\(folder)/" + name)
            listener.listen(8)
            while True:
                connection, _ = listener.accept()
                data = connection.recv(16)
                if data: connection.sendall(data)
                if data and \(keeps ? "len(kept) < 1" : "False"): kept.append(connection.dup())
                connection.close()
            """
        let leak = try leak("exec python3 -c '\(program)' {socket}")
        #expect((leak?.contains("1 connection was still open in the server") == true) == keeps, "\(leak ?? "no leak")")
    }
}
