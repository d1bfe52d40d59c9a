import Meters

extension ClientResult {
    /// Adds what another client saw, of this host or another. Histograms are added bucket by bucket.
    package mutating func add(_ other: ClientResult) {
        latencies.add(other.latencies)
        failures.add(other.failures)
        failedInWindow += other.failedInWindow
        lost += other.lost
        lastAnswer = max(lastAnswer, other.lastAnswer)
        if let more = other.due { due = (due ?? 0) + more }
        completedInWindow += other.completedInWindow
        sendLag.add(other.sendLag)
        openConnections += other.openConnections
        reconnections += other.reconnections
        datagrams.add(other.datagrams)
        if let more = other.split {
            split = split ?? LatencySplit()
            split?.add(more)
        }
        if negotiated.isEmpty { negotiated = other.negotiated }
        if other.begun > 0 {
            begun = begun == 0 ? other.begun : min(begun, other.begun)
            lastBegun = max(lastBegun, other.lastBegun)
        }
        timeline.add(other.timeline)
    }

    /// The same by a clock that is so many nanoseconds behind.
    package func moved(by nanoseconds: Int64) -> ClientResult {
        var moved = self
        func earlier(_ time: UInt64) -> UInt64 { time == 0 ? 0 : time &- UInt64(bitPattern: nanoseconds) }
        moved.window = .never
        moved.lastAnswer = earlier(lastAnswer)
        moved.begun = earlier(begun)
        moved.lastBegun = earlier(lastBegun)
        moved.timeline = timeline.moved(by: nanoseconds)
        return moved
    }

    /// Whether its sums fit a machine word, which what comes from another process has to be asked.
    package var isSound: Bool {
        let counts = [
            failedInWindow, lost, due ?? 0, completedInWindow, reconnections, datagrams.sent, datagrams.received,
            datagrams.lost, datagrams.reordered, datagrams.late, datagrams.dueInWindow, datagrams.lostInWindow,
        ]
        return failures.isSound && counts.allSatisfy { $0 < 1 << 46 } && (0...1 << 30).contains(openConnections)
            && negotiated.utf8.count <= 200
    }
}
