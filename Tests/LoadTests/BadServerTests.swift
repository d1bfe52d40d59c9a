import Glibc
import Histogram
import LinuxSockets
import Testing

@testable import Load
@testable import Meters

/// Servers that answer late, half, too much, garbage or not at all.
@Suite struct BadServerTests {
    private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    private static let last = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

    /// What a client sees of a server that does this to every connection.
    private func result(
        _ workload: Workload = .read, operations: Int, depth: Int = 1,
        _ script: @escaping @Sendable (ScriptedServer.Peer) -> Void
    ) throws -> ClientResult {
        let server = try ScriptedServer(script)
        let conversation = try Conversation.http(host: "test", closes: workload == .crr)
        let plan = plan(workload, conversation, depth: depth)
        let format = HTTPFormat(conversation, seed: 1)
        return workload == .read
            ? try readResult(format, plan, to: server.address, operations: operations)
            : try exchangeResult(format, plan, to: server.address, operations: operations)
    }

    /// Every connection gets one answer of this kind.
    private func expectFailures(_ text: String, _ cause: String, operations: Int = 3) throws {
        for workload in [Workload.read, .crr] {
            let result = try result(workload, operations: operations) { peer in
                if peer.receiveRequests() > 0 { peer.send(text) }
            }
            #expect(
                result.answers == 0 && result.failures.sorted.map(\.cause.description) == [cause],
                "\(result.failures.text)")
            #expect(result.failures.total >= UInt64(operations))
        }
    }

    @Test func halfAnAnswer() throws { try expectFailures(String(Self.ok.dropLast()), "recv: end of stream") }
    @Test func noAnswer() throws { try expectFailures("", "recv: end of stream") }
    @Test func halfAHeader() throws { try expectFailures("HTTP/1.1 200 OK\r\nConte", "recv: end of stream") }
    @Test func garbage() throws { try expectFailures("SSH-2.0-OpenSSH\r\n", "not HTTP") }

    @Test func aChunkThatIsTooLarge() throws {
        try expectFailures("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8000000000000000\r\nx", "not HTTP")
    }

    /// The driver looks at its clock, and other connections have their turn, once for each megabyte of one at the least.
    @Test func aFloodIsTakenInPieces() throws {
        // Small chunks take the client longer than they take the server.
        let megabytes = 8
        let flood = String(repeating: "1\r\nx\r\n", count: megabytes << 20 / 6)
        let server = try ScriptedServer { peer in
            guard peer.receiveRequests() > 0 else { return }
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(flood)0\r\n\r\n")
            _ = peer.receive()
        }
        let conversation = try Conversation.http(host: "test")
        var client = try StreamClient(
            HTTPFormat(conversation, seed: 1), plan(.read, conversation), to: server.address, connections: 1, idle: 0,
            seed: 1)
        client.begin(openWindow)
        var turns = 0
        let limit = monotonicNanoseconds() + 60_000_000_000
        while client.result.ended == 0, monotonicNanoseconds() < limit {
            try client.awaitAnswers(until: monotonicNanoseconds() + 100_000_000)
            turns += 1
        }
        #expect(client.result.answers == 1 && turns >= megabytes - 1, "\(turns) turns, \(client.result.failures.text)")
    }

    @Test func aMegabyteOfHeader() throws {
        try expectFailures(
            "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 1 << 20) + "\r\nContent-Length: 0\r\n\r\n",
            "not HTTP")
    }

    @Test func refusals() throws {
        let result = try result(operations: 20) { peer in
            while peer.receiveRequests() > 0 { peer.send("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n") }
        }
        #expect(result.failures.text == "20 × HTTP 500" && result.answers == 0 && result.reconnections == 0)
    }

    @Test func moreThanWasAskedFor() throws {
        let result = try result(operations: 6) { peer in
            while peer.receiveRequests() > 0 { peer.send(Self.ok + Self.ok) }
        }
        #expect(result.failures.sorted.map(\.cause) == [.surplus])
        #expect(result.answers > 0 && result.reconnections > 0)
    }

    /// The close resets the connection, since the server leaves most of the request unread.
    @Test func anAnswerBeforeTheRequestIsWholeCounts() throws {
        let server = try ScriptedServer { peer in
            if !peer.receive(10).isEmpty {
                peer.send("HTTP/1.1 413 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            }
        }
        let conversation = try Conversation.http(
            method: "POST", host: "test", body: [UInt8](repeating: 1, count: 8 << 20))
        let format = { HTTPFormat(conversation, seed: 1) }
        for result in [
            try readResult(format(), plan(.read, conversation), to: server.address, operations: 3),
            try exchangeResult(format(), plan(.crr, conversation), to: server.address, operations: 3),
        ] {
            #expect(result.failures.sorted.map(\.cause.description) == ["HTTP 413"], "\(result.failures.text)")
            #expect(result.failures.total >= 3 && result.answers == 0)
        }
    }

    @Test func aCloseWithinARequestIsAFailedSend() throws {
        let server = try ScriptedServer { peer in _ = peer.receive(10) }
        let conversation = try Conversation.http(
            method: "POST", host: "test", body: [UInt8](repeating: 1, count: 8 << 20))
        let result = try exchangeResult(
            HTTPFormat(conversation, seed: 1), plan(.crr, conversation), to: server.address, operations: 3)
        let causes = result.failures.sorted.map(\.cause.description)
        #expect(Set(causes).isSubset(of: ["send: ECONNRESET", "send: EPIPE", "recv: ECONNRESET"]), "\(causes)")
        #expect(result.failures.total == 3 && result.answers == 0)
    }

    @Test func resetsOfEachTenthConnection() throws {
        for workload in [Workload.read, .crr] {
            let result = try result(workload, operations: 50) { peer in
                if peer.index % 10 == 9 {
                    _ = peer.receiveRequests()
                    return peer.reset()
                }
                if peer.receiveRequests() > 0 { peer.send(Self.last) }
            }
            #expect(result.failures.text == "5 × recv: ECONNRESET" && result.answers == 45, "\(result.failures.text)")
            #expect(result.lost == 0)
        }
    }

    @Test func announcedClosesAreNoErrors() throws {
        for reply in [
            Self.last, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\n\r\nuntil the end",
        ] {
            for workload in [Workload.read, .crr] {
                let result = try result(workload, operations: 20) { peer in
                    if peer.receiveRequests() > 0 { peer.send(reply) }
                }
                #expect(result.failures.total == 0 && result.answers >= 20, "\(result.failures.text)")
                #expect(workload == .crr || result.reconnections >= 19)
            }
        }
    }

    /// What was sent behind the last request of a connection is sent again.
    @Test func requestsInFlightSurviveAnAnnouncedClose() throws {
        let result = try result(operations: 60, depth: 4) { peer in
            if peer.receiveRequests() > 0 {
                peer.send(Self.ok)
                peer.send(Self.last)
            }
        }
        // The first reply may have been the only one asked for on a connection.
        #expect(result.failures.counts.keys.allSatisfy { $0 == .surplus }, "\(result.failures.text)")
        #expect(result.answers >= 30 && result.reconnections > 0)
    }

    @Test func aCloseBetweenRepliesIsNoError() throws {
        let server = try ScriptedServer { peer in if peer.receiveRequests() > 0 { peer.send(Self.ok) } }
        let conversation = try Conversation.http(host: "test")
        var plan = plan(.read, conversation)
        plan.pace = .openLoop(perSecond: 1)
        var client = try StreamClient(
            HTTPFormat(conversation, seed: 1), plan, to: server.address, connections: 1, idle: 0, seed: 1)
        client.begin(openWindow)
        for operation in 1...5 {
            _ = client.start(at: monotonicNanoseconds())
            try client.wait { $0.result.ended >= operation && $0.result.reconnections >= UInt64(operation) }
        }
        let result = client.result
        #expect(result.answers == 5 && result.failures.total == 0 && result.reconnections == 5)
        let open = client.openConnections
        #expect(open == 1)
    }

    @Test func aServerThatGoesAwayFailsWhatFollows() throws {
        let served = Locked(0)
        let server = try ScriptedServer { peer in
            while served.withLock({ $0 }) < 3, peer.receiveRequests() > 0 {
                served.withLock { $0 += 1 }
                peer.send(Self.ok)
            }
        }
        let conversation = try Conversation.http(host: "test")
        var client = try StreamClient(
            HTTPFormat(conversation, seed: 1), plan(.read, conversation), to: server.address, connections: 1, idle: 0,
            seed: 1)
        client.begin(openWindow)
        try client.wait { $0.result.answers >= 3 }
        server.stopListening()
        let refused = FailureTally.Cause("connect", ECONNREFUSED)
        try client.wait { ($0.result.failures.counts[refused] ?? 0) >= 1 }
        let made = client.result.reconnections
        try client.wait { ($0.result.failures.counts[refused] ?? 0) >= 3 }
        let result = client.result
        #expect((result.failures.counts[refused] ?? 0) >= 3 && result.answers == 3, "\(result.failures.text)")
        // Attempts are no connections.
        let open = client.openConnections
        #expect(open == 0 && result.reconnections == made)
    }

    @Test func errorsOfRedisAreNamed() throws {
        let server = try ScriptedServer { peer in
            while !peer.receive().isEmpty { peer.send("-LOADING data\r\n") }
        }
        let conversation = try Conversation.redis(command: "GET a")
        let result = try readResult(
            RedisFormat(conversation, seed: 1), plan(.read, conversation), to: server.address, operations: 5)
        #expect(result.failures.text == "5 × LOADING")
    }

    /// Replies are framed although every one comes in two pieces, some with a part of the next.
    @Test func repliesInPieces() throws {
        let server = try ScriptedServer { peer in
            var rest = ""
            while true {
                let count = peer.receiveRequests()
                if count == 0 { return }
                var text = rest + String(repeating: Self.ok, count: count)
                rest = ""
                if count > 1 { rest = String(text.suffix(5)) }
                text.removeLast(rest.count)
                for piece in [text.prefix(text.count / 3), text.dropFirst(text.count / 3)] { peer.send(String(piece)) }
                peer.send(rest)
                rest = ""
            }
        }
        let conversation = try Conversation.http(host: "test")
        let result = try readResult(
            HTTPFormat(conversation, seed: 1), plan(.read, conversation, depth: 8), to: server.address, operations: 200)
        #expect(
            result.failures.total == 0 && result.answers >= 200 && result.reconnections == 0, "\(result.failures.text)")
    }

    /// The pause that `--connect-rate` makes is not the server's: no operation has begun in it.
    @Test func anOperationBeginsAfterThePauseBeforeItsConnection() throws {
        let server = try ScriptedServer { peer in if peer.receiveRequests() > 0 { peer.send(Self.last) } }
        let conversation = try Conversation.http(host: "test")
        for think in [UInt64(0), 1] {
            var plan = plan(.read, conversation)
            plan.thinkNanoseconds = think
            plan.connectionsPerSecond = 0.001
            var client = try StreamClient(
                HTTPFormat(conversation, seed: 1), plan, to: server.address, connections: 1, idle: 0, seed: 1)
            client.begin(openWindow)
            try client.wait { $0.result.answers >= 1 && $0.thinking.nextTime == .max }
            let (outstanding, open, result) = (client.outstanding, client.openConnections, client.result)
            #expect(outstanding == 0 && open == 0 && result.answers == 1)
            #expect(result.failures.total == 0 && result.lost == 0 && result.reconnections == 0)
        }
    }

    @Test func thinkingDelaysTheNextOperation() throws {
        let times = Locked<[UInt64]>([])
        let server = try ScriptedServer { peer in
            while peer.receiveRequests() > 0 {
                times.withLock { $0.append(monotonicNanoseconds()) }
                peer.send(Self.ok)
            }
        }
        let conversation = try Conversation.http(host: "test")
        var plan = plan(.read, conversation)
        plan.thinkNanoseconds = 20_000_000
        let result = try readResult(HTTPFormat(conversation, seed: 1), plan, to: server.address, operations: 5)
        let starts = times.withLock { $0 }
        #expect(result.answers == 5 && result.failures.total == 0)
        // The server sees a request after the client began to think, which is after it got the answer before.
        #expect(zip(starts, starts.dropFirst()).allSatisfy { $1 - $0 >= 20_000_000 })
    }
}
