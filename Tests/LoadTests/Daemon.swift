import Foundation
import LinuxSockets
import TestSupport

@testable import Meters

/// A server of the system, at a unix socket in a folder of its own.
final class Daemon {
    let address: SocketAddress
    private let folder: URL
    private let process = Process()

    /// Starts it in the foreground, and waits until it listens.
    ///
    /// - Parameter files: what the folder holds before.
    /// - Parameter place: where it listens; nil for `socket` in the folder.
    /// - Parameter command: the program and its arguments, by folder.
    init(
        _ files: [String: String] = [:], at place: SocketAddress? = nil, _ command: (_ folder: String) -> [String]
    ) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "d-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let path = folder.path()
        for (name, text) in files {
            let text = text.replacingOccurrences(of: "FOLDER", with: path)
            try Data(text.utf8).write(to: folder.appending(path: name))
        }
        address = try place ?? .unix(path: folder.appending(path: "socket").path())
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command(path)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let limit = monotonicNanoseconds() + 60_000_000_000
        while (try? StreamSocket(for: address, .blocking).connect(to: address)) == nil {
            guard process.isRunning, monotonicNanoseconds() < limit else { throw DidNotStart() }
            // Nothing tells that it listens but a connection that succeeds.
            usleep(5_000)
        }
    }

    struct DidNotStart: Error {}

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    static func nginx() throws -> Daemon {
        let configuration = """
            daemon off; master_process off; pid FOLDER/pid; error_log FOLDER/log;
            events { worker_connections 256; }
            http {
                access_log off; keepalive_requests 10;
                client_body_temp_path FOLDER/a; proxy_temp_path FOLDER/b; fastcgi_temp_path FOLDER/c;
                uwsgi_temp_path FOLDER/d; scgi_temp_path FOLDER/e;
                server {
                    listen unix:FOLDER/socket;
                    root FOLDER;
                    location = /hello { return 200 "hello"; }
                    location = /none { return 204; }
                    location = /chunked { ssi on; ssi_types *; default_type text/html; alias FOLDER/page; }
                }
            }
            """
        return try Daemon(["conf": configuration, "page": "a <!--#echo var=\"host\" --> b"]) { folder in
            ["nginx", "-e", "\(folder)/log", "-p", folder, "-c", "\(folder)/conf"]
        }
    }

    static func redis() throws -> Daemon {
        try Daemon { folder in
            ["redis-server", "--port", "0", "--unixsocket", "\(folder)/socket", "--save", "", "--dir", folder]
        }
    }

    static func memcached() throws -> Daemon {
        try Daemon { folder in
            ["memcached", "-s", "\(folder)/socket", "-m", "16", "-t", "1"] + (getuid() == 0 ? ["-u", "root"] : [])
        }
    }
}

let hasNginx = isInstalled("nginx")
let hasRedis = isInstalled("redis-server")
let hasMemcached = isInstalled("memcached")
