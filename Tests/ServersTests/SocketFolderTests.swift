import Foundation
import LinuxSockets
import Loops
import SystemPackage
import TestSupport
import Testing

@testable import Meters
@testable import Servers

/// Where servers make their unix sockets.
@Suite struct SocketFolderTests {
    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    @Test func onlyRootsIsOpenAndNamesAreNotListed() throws {
        var folder: SocketFolder? = try SocketFolder()
        let path = try #require(folder?.path)
        #expect(mode(path) == (geteuid() == 0 ? 0o1733 : 0o700))
        #expect(folder?.socketPath.hasPrefix("\(path)/") == true)
        try "".write(toFile: "\(path)/socket.lock", atomically: false, encoding: .utf8)
        folder = nil
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    /// Binds as a user that is nobody, after a stranger has if there is one.
    private func command(_ stranger: String = "") -> String {
        """
        exec python3 -c '
        import os, socket, sys
        def listen():
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(sys.argv[1])
            listener.listen()
            return listener
        \(stranger)
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        listener = listen()
        while True: kept = listener.accept()
        ' {socket}
        """
    }

    private func start(_ command: String) throws(RunError) -> ServerProcess {
        var plan = ExternalServer("theirs", .command(command))
        plan.timeoutNanoseconds = 60_000_000_000
        return try ServerProcess(plan)
    }

    @Test func aServerThatIsAnotherUserWhenItBindsIsReached() throws {
        guard geteuid() == 0 else { return print("skipped: not root") }
        let server = try start(command())
        var status = stat()
        #expect(lstat(server.address.host, &status) == 0 && status.st_uid == 65534)
        #expect(server.end(windowEnd: 1).error == nil)
    }

    @Test func aStrangerWhoListensInsteadIsRefused() throws {
        guard geteuid() == 0 else { return print("skipped: not root") }
        // It has listened as user 12345, and nobody is that any more.
        let stranger =
            "os.seteuid(12345); listener = listen(); os.seteuid(0); os.setuid(65534)\nwhile True: kept = listener.accept()"
        let error = #expect(throws: RunError.self) { try start(command(stranger)) }
        #expect(error?.description.contains("user 12345, who runs none of its processes, listens on") == true)
    }

    @Test func theFileOfASocketGoesWithItsServerAndNoOtherDoes() throws {
        let folder = try SocketFolder()
        for isReplaced in [false, true] {
            var plan = ServerPlan(.read, mode: try #require(Mode.named("epoll-lt")))
            plan.address = try .unix(path: folder.socketPath)
            var server: LocalServer? = try LocalServer(plan, expecting: Traffic(.read, connections: 1, messageBytes: 1))
            #expect(FileManager.default.fileExists(atPath: folder.socketPath) && server != nil)
            if isReplaced {
                unlink(folder.socketPath)
                try "kept".write(toFile: folder.socketPath, atomically: false, encoding: .utf8)
            }
            server = nil
            #expect(FileManager.default.fileExists(atPath: folder.socketPath) == isReplaced)
        }
    }
}
