import Foundation

/// A folder with certificates made by the `openssl` command, and a small TLS server in Python.
public final class TLSServer: Sendable {
    /// Where everything is.
    public let folder: String

    /// Makes certificates of the names `bench.test` and `127.0.0.1` (`cert.pem`, `key.pem`) and of somebody else
    /// (`other.pem`), and writes the server (`server.py`).
    public init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString.prefix(8))").path()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (certificate, key) in [("cert", "key"), ("other", "otherkey")] {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "2", "-subj", "/CN=bench.test", "-addext", "subjectAltName=DNS:bench.test,IP:127.0.0.1",
                "-keyout", "\(folder)/\(key).pem", "-out", "\(folder)/\(certificate).pem",
            ]
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw NoCertificate() }
        }
        try Data(Self.program.utf8).write(to: URL(filePath: "\(folder)/server.py"))
    }

    struct NoCertificate: Error {}

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// The server as a command: what it does to its connections, and a port, or the path of a unix socket.
    public func command(_ deed: String, _ place: String) -> [String] {
        ["python3", "\(folder)/server.py", deed, place, folder]
    }

    /// What it takes; false where that is not installed, which is printed.
    public static var isPossible: Bool { isInstalled("openssl") && isInstalled("python3") }

    private static let program = """
        import itertools, os, socket, ssl, sys, threading, time
        deed, place, folder = sys.argv[1:]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
        if deed == "old": context.maximum_version = ssl.TLSVersion.TLSv1_2
        if deed == "clientcert": context.maximum_version = ssl.TLSVersion.TLSv1_2
        if deed in ["clientcert", "lateclientcert"]:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(folder + "/cert.pem")

        def requests(peer):
            text = b""
            while True:
                while b"\\r\\n\\r\\n" not in text:
                    more = peer.recv(65536)
                    if not more: return
                    text += more
                head, text = text.split(b"\\r\\n\\r\\n", 1)
                yield head

        def reply(body):
            return b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body)

        connections = itertools.count()

        def serve(peer):
            number = next(connections)
            if deed == "plain":
                peer.recv(65536)
                return peer.sendall(b"HTTP/1.1 400 Bad Request\\r\\nContent-Length: 0\\r\\n\\r\\n")
            # The first is the one that finds out whether somebody listens.
            if deed == "stall" or deed == "stalllater" and number > 1: return time.sleep(600)
            if deed == "reset": return peer.recv(1, socket.MSG_PEEK)
            peer = context.wrap_socket(peer, server_side=True)
            if deed == "echo":
                while True:
                    data = peer.recv(65536)
                    if not data: break
                    peer.sendall(data)
            elif deed.startswith("whole"):
                taken = 0
                while True:
                    data = peer.recv(65536)
                    if not data: break
                    taken += len(data)
                    if taken >= 300000:
                        taken -= 300000
                        peer.sendall(b"ok" * int(deed[5:]))
            elif deed in ["cut", "end"]:
                for _ in requests(peer):
                    peer.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\nno length")
                    if deed == "end":
                        try: peer.unwrap()
                        except (OSError, ValueError): pass
                    break
            elif deed == "hangup":
                for count, _ in enumerate(requests(peer)):
                    peer.sendall(reply(b"ok"))
                    if count == 4: break
            else:
                body = b"x" * (1 << 20) if deed == "big" else b"ok"
                for _ in requests(peer):
                    answer = reply(body)
                    if deed == "bytes":
                        for at in range(len(answer)): peer.sendall(answer[at:at + 1])
                    else: peer.sendall(answer)
            peer.close()

        def served(peer):
            try: serve(peer)
            except OSError: pass
            finally: peer.close()

        if place.isdigit(): listener = socket.create_server(("127.0.0.1", int(place)), backlog=512)
        else:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(place)
            listener.listen(512)
        while True:
            peer, _ = listener.accept()
            threading.Thread(target=served, args=(peer,), daemon=True).start()
        """
}
