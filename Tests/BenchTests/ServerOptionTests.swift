import ArgumentParser
import Load
import Meters
import Records
import Runs
import Servers
import Testing

@testable import bench

/// What `--server`, `--target` and `--protocol` mean, and which mistakes they allow.
@Suite struct ServerOptionTests {
    private func plans(_ words: [String]) throws -> [RunPlan] { try Arms(RunOptions.parse(words), seed: 1).plans }

    @Test func aServerAloneIsRunWithoutModes() throws {
        let plans = try plans(["--workload", "read", "--server", "mine=./mine {port} {workers}", "--workers", "1,2"])
        #expect(plans.map(\.name) == ["mine", "mine"])
        #expect(plans.map(\.workerThreads) == [1, 2])
        #expect(plans.allSatisfy { $0.mode == nil })
    }

    @Test func workersAreVariedForAServerThatTakesThem() throws {
        let words = ["--server", "mine=./mine {port}", "--target", "127.0.0.1:9", "--workers", "1,2", "--pin", "auto"]
        let plans = try plans(words)
        #expect(plans.map(\.name) == ["mine", "127.0.0.1:9"])
        // Nobody moves what runs already.
        #expect(plans[1].placement.workers.isEmpty)
    }

    @Test func serversStandBesideModes() throws {
        let words = ["--server", "a=a {port}", "--mode", "lt,et", "--server", "b=b {port}", "--target", "127.0.0.1:9"]
        #expect(try plans(words).map(\.name) == ["epoll-lt", "epoll-et", "a", "b", "127.0.0.1:9"])
    }

    @Test func aServersRowSaysWhatItIs() throws {
        let words = ["--workload", "read", "--protocol", "http", "--server", "a=a {port}"]
        let row = RunRecord(try #require(plans(words).first))
        #expect(row.mode == "a" && row.implementation == "external" && row.protocol == "http")
        #expect(row.topology.isEmpty && row.listener.isEmpty && row.messageSizeBytes == nil)
        #expect(row.request.hasPrefix("GET / #"))
    }

    @Test func aTargetMayBeAUnixSocketOrOfAnotherMachineThatAgrees() throws {
        for words in [["--target", "unix:/run/x"], ["--target", "[::1]:80"], ["--target", "localhost:80"]] {
            #expect(try plans(words).count == 1)
        }
        #expect(try plans(["--target", "192.0.2.1:80", "--allow-remote"]).count == 1)
    }

    @Test func aFileOfRequestsMayHaveEitherKindOfLineEnd() throws {
        let folder = try BenchFolder()
        for (name, end) in [("unix", "\n"), ("dos", "\r\n")] {
            try folder.write(name, ["3 SET a 1", "# a remark", "", "1 GET b"].map { $0 + end }.joined())
            let words = ["--workload", "read", "--protocol", "redis", "--mode", "lt", "--requests", folder.path(name)]
            let requests = try #require(plans(words).first).load.conversation.requests
            #expect(requests.map(\.weight) == [3, 1], "\(name)")
            #expect(requests.map { String(decoding: $0.bytes, as: UTF8.self).filter { $0 == "\r\n" }.count } == [7, 5])
        }
    }

    @Test func aReplyOfBytesIsWhatTheClientWaitsFor() throws {
        let folder = try BenchFolder()
        try folder.write("request", "abc")
        let words = ["--workload", "read", "--protocol", "bytes", "--mode", "lt", "--request", folder.path("request")]
        #expect(try #require(plans(words + ["--reply-bytes", "100"]).first).load.traffic.messageBytes == 100)
        let text = try #require(plans(words + ["--reply-until", "\\r\\n"]).first)
        #expect(text.load.traffic.replyEnd == [13, 10])
    }

    @Test(
        arguments: [
            (["--server", "x"], "--server takes NAME=COMMAND"), (["--server", "x="], "the command is empty"),
            (["--server", "=a {port}"], "--server takes NAME=COMMAND"),
            (["--server", "a b=a {port}"], "--server takes"),
            (["--server", "et=a {port}"], "the name of a mode"),
            (["--server", "a=a"], "neither where {port} nor where {socket} goes"),
            (["--server", "a=a {port} {socket}"], "has both {port} and {socket}"),
            (["--server", "a=a {prot} {port}"], "{prot} is not filled in; did you mean 'port'?"),
            (["--server", "a=a {port}", "--server", "a=b {port}"], "two servers are called a"),
            (["--server", "a=a {port}", "--topology", "all"], "--topology says what our loops do"),
            (["--server", "a=a {port}", "--service-time", "fixed:1ms"], "--service-time says what our loops do"),
            (["--server", "a=a {port}", "--drain", "9"], "--drain holds connections back"),
            (["--server", "a=a {port}", "--server-timeout", "x"], "--server-timeout takes a time"),
            (["--server-timeout", "1s"], "--server-timeout belongs to"), (["--pid", "1"], "--pid belongs to --target"),
            (["--target", "127.0.0.1"], "--target takes a numeric HOST:PORT"),
            (["--target", "127.0.0.1:0"], "--target takes a numeric HOST:PORT"),
            (["--target", "unix:"], "--target unix:"), (["--target", "192.0.2.1:80"], "add --allow-remote"),
            (["--target", "127.0.0.1:80", "--pid", "999999999"], "there is no such process"),
            (["--connect-rate", "0"], "--connect-rate takes"), (["--connect-rate", "1e-11"], "--connect-rate takes"),
            (["--rate", "1e-11"], "--rate takes"), (["--connect-rate", "9", "--drain", "9"], "exclude each other"),
            (
                ["--workload", "read", "--protocol", "http", "--header", "Connection: close", "--mode", "lt"],
                "none may ask for its close"
            ),
            (["--workload", "read", "--protocol", "memcached", "--command", "mg a v q"], "leave the flag q out"),
            (["--workload", "read", "--protocol", "htp"], "did you mean 'http'"),
            (["--workload", "read", "--path", "/"], "--path belongs to --protocol http; the protocol is echo"),
            (["--workload", "read", "--protocol", "bytes"], "needs --request FILE"),
            (["--workload", "read", "--protocol", "bytes", "--request", "/nowhere"], "cannot be read"),
            (
                ["--workload", "read", "--protocol", "bytes", "--request", "/etc/passwd"],
                "--reply-bytes N or --reply-until"
            ),
            (["--workload", "read", "--protocol", "http", "--path", "a b"], "--protocol http: "),
            (["--workload", "read", "--protocol", "http", "--header", "x"], "--protocol http: "),
            (["--workload", "read", "--protocol", "redis", "--command", ""], "--protocol redis: "),
            (
                ["--workload", "read", "--protocol", "http", "--implementation", "c", "--mode", "lt"],
                "no loops for --protocol"
            ),
            (
                [
                    "--workload", "read", "--protocol", "http", "--mode", "lt", "--topology", "shared-set", "--workers",
                    "2",
                ],
                "two workers of a shared set"
            ),
            (["--workload", "read", "--think", "1ms", "--rate", "9"], "--think belongs to a closed loop"),
            (["--workload", "read", "--tls"], "our own loops do not speak TLS"),
            (["--workload", "crr", "--tls", "--mode", "lt", "--target", "127.0.0.1:1"], "leave --mode out"),
            (["--workload", "read", "--tls-name", "a", "--target", "127.0.0.1:1"], "give --tls too"),
            (["--workload", "read", "--tls", "--tls-ca", "/nowhere", "--target", "127.0.0.1:1"], "cannot be read"),
            (["--workload", "read", "--tls", "--tls-name", "", "--target", "127.0.0.1:1"], "takes a host name"),
            (["--workload", "read", "--tls", "--tls-ca", "/dev/null", "--target", "unix:/x"], "give --tls-name NAME"),
        ] as [([String], String)]) func aMistakeIsOneLine(_ words: [String], _ says: String) throws
    {
        do {
            _ = try plans(words)
            Issue.record("not refused: \(words)")
        } catch let failure as Failure {
            #expect(failure.exit == .usage && !failure.message.contains("\n"))
            #expect(failure.message.contains(says), "\(failure.message)")
        }
    }
}
