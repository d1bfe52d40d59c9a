import Glibc
package import LinuxDescriptors
package import LinuxSockets
package import Meters

/// A server that an agent runs on its machine.
package final class RemoteServer: Server {
    package let address: SocketAddress
    /// Who counts its system calls there; nil if nobody does.
    package let counter: CallCounterFacts?
    /// The machine as it was before the server was started.
    package let readingBefore: HostReading?
    private let agent: AgentClient
    private let link: AgentLink
    private let clock: ClockOffset
    private let prepareSeconds: Double
    /// Readings that the agent makes by itself, by the times of this machine's clock.
    private var schedule: [UInt64] = []
    private var last: HostSnapshot?
    private var error: RunError?
    private var remarks: [String] = []

    /// Has the agent start it.
    ///
    /// - Parameters:
    ///   - prepareSeconds: how long its clients may take to make their connections.
    ///   - endings: each ends the wait when it becomes readable.
    package init(
        _ agent: AgentClient, _ order: ServerOrder, prepareSeconds: Double, unless endings: [BorrowedDescriptor]
    ) throws(RunError) {
        self.agent = agent
        self.prepareSeconds = prepareSeconds
        link = try agent.connected()
        do throws(ProtocolError) {
            clock = try ClockOffset(of: link)
            link.forgetServer()
            switch try link.ask(.start(order), seconds: order.seconds, unless: endings) {
            case .started(let server):
                guard let address = SocketAddress(text: server.address) else {
                    throw ProtocolError("a server at \(server.address.prefix(80))")
                }
                guard agent.isOfThisMachine || !address.isLoopback else {
                    throw ProtocolError(
                        "its server listens on \(address), which is this machine here; give bench agent --address")
                }
                self.address = address
                counter = server.counter
                readingBefore = server.before
            case .refused(let refusal): throw ProtocolError(refusal)
            default: throw ProtocolError("another answer than to start")
            }
        } catch {
            throw error.refusal?.oneLine(before: "agent \(agent.name)")
                ?? RunError(failed: "agent \(agent.name): \(error)")
        }
    }

    package var place: ServerPlace { agent.isOfThisMachine ? .thisMachine : .otherMachine }

    package var failure: BorrowedDescriptor { link.failure }

    /// A few ways there and back, so that nothing begins before the agent knows when.
    package var leadNanoseconds: UInt64 { 4 * clock.error + 5_000_000 }

    package func prepare(unless endings: [BorrowedDescriptor]) throws(RunError) -> Bool {
        switch ask(.prepare, seconds: prepareSeconds + AgentLink.patience, unless: endings) {
        case .prepared(let isPrepared): return isPrepared
        case .refused(let refusal): throw refusal.oneLine(before: "agent \(agent.name)")
        default: throw error ?? unexpected
        }
    }

    package func begin(_ window: RunWindow) {
        if !window.isOpenEnded {
            schedule = [window.start, window.end]
            let length = window.end - window.start
            if clock.error > length / 100 {
                remarks.append(
                    "the agent's clock is known to \(clock.error / 1000) us only, which is more than 1 % of the window; raise "
                        + "--duration")
            }
        }
        _ = ask(.begin(clock.there(window)))
    }

    package func snapshot() -> WorkerSnapshot {
        let found = nextSnapshot()
        if let found, found.server.isSound(after: last?.server), found.host.isSound {
            last = found
        } else if error == nil {
            error = RunError(failed: "agent \(agent.name): readings that cannot be")
        }
        // What has ended the run is told at its end; nothing was done since the last reading then.
        return last?.server.moved(by: clock.nanoseconds) ?? WorkerSnapshot(time: monotonicNanoseconds())
    }

    private func nextSnapshot() -> HostSnapshot? {
        guard let due = schedule.first, due <= monotonicNanoseconds() else {
            guard case .snapshot(let snapshot) = ask(.snapshot) else { return nil }
            return snapshot
        }
        schedule.removeFirst()
        do throws(ProtocolError) {
            let limit = monotonicNanoseconds() + UInt64(AgentLink.patience * 1e9)
            return try link.scheduledSnapshot(until: limit)
        } catch {
            note(error)
            return nil
        }
    }

    package var kernelCounters: KernelCounters { (last?.host ?? readingBefore ?? .read()).kernel }

    package func hostReading() -> HostReading {
        guard case .reading(let reading) = ask(.reading), reading.isSound else {
            return last?.host ?? readingBefore ?? .read()
        }
        return reading
    }

    package var operations: UInt64 {
        // Somebody who waits for operations is not to wait for those of a server that is gone.
        guard case .operations(let count) = ask(.operations) else { return .max }
        return count
    }

    package func leak() -> RunError? {
        guard case .leak(let leak) = ask(.leak, seconds: 30) else { return nil }
        return leak?.oneLine(before: "agent \(agent.name)")
    }

    package func end(windowEnd: UInt64) -> ServerReport {
        guard case .ended(let ended) = ask(.end(windowEnd: clock.there(windowEnd)), seconds: 45) else {
            var report = ServerReport()
            report.error = error ?? unexpected
            report.remarks = remarks
            return report
        }
        var report = ended.report
        report.failures = report.failures.isSound ? report.failures : FailureTally()
        report.error = error ?? report.error?.oneLine(before: "agent \(agent.name)")
        report.remarks = remarks + report.remarks.map { $0.inOneLine }
        report.peakMemoryBytes = ended.host.memory.peakBytes
        return report
    }

    // MARK: Questions

    private var unexpected: RunError { RunError(failed: "agent \(agent.name): another answer than was asked for") }

    /// The answer; nil if there is none, which the run ends with.
    private func ask(
        _ request: AgentRequest, seconds: Double = AgentLink.patience, unless endings: [BorrowedDescriptor] = []
    ) -> AgentReply? {
        do throws(ProtocolError) {
            return try link.ask(request, seconds: seconds, unless: endings)
        } catch {
            note(error)
            return nil
        }
    }

    private func note(_ error: ProtocolError) {
        self.error = self.error ?? RunError(failed: "agent \(agent.name): \(error)")
    }
}

extension ServerOrder {
    /// How long its start may take.
    fileprivate var seconds: Double {
        switch kind {
        case .mode: AgentLink.patience
        case .command(_, let timeout): AgentLink.patience + Double(timeout) / 1e9
        }
    }
}

extension HostReading {
    /// Whether its sums fit a machine word.
    fileprivate var isSound: Bool { max(memory.residentBytes, memory.slabBytes, memory.peakBytes) < 1 << 56 }
}

extension RunError {
    /// The same, named, in one line.
    package func oneLine(before name: String) -> RunError {
        var error =
            isUnsupported
            ? RunError(unsupported: "\(name): \(description.inOneLine)")
            : RunError(failed: "\(name): \(description.inOneLine)")
        error.error = self.error
        return error
    }
}

extension String {
    /// Without what ends a line, and no longer than a line should be.
    var inOneLine: String {
        String(
            prefix(1000).map {
                $0.isNewline || $0.unicodeScalars.contains { $0.value < 32 || (127...159).contains($0.value) }
                    ? " " : $0
            })
    }
}
