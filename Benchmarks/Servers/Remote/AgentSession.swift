import Foundation
import Glibc
import LinuxDescriptors
import LinuxSockets
import Loops
import Meters
import SystemPackage

/// An agent's work for one coordinator, on a thread of its own. Whatever ends it, the server ends with it.
final class AgentSession {
    private let channel: AgentChannel
    private let settings: AgentSettings
    private let host: String
    /// Readable when the agent is to end.
    private let stop: BorrowedDescriptor
    private var server: (any Server)?
    private var isPrepared = false
    private var hasToldFailure = false
    /// Readings that are still to be made, at times of this machine's clock.
    private var schedule: [UInt64] = []
    private var output: String?
    /// What the server needs as long as it runs.
    private var counter: CallCounter?

    /// How long a coordinator may say nothing, though it says that it is there; then its machine or the network is gone.
    static let silence: UInt64 = 14_000_000_000

    /// - Parameter host: where servers listen.
    init(_ channel: AgentChannel, _ settings: AgentSettings, host: String, stop: BorrowedDescriptor) {
        (self.channel, self.settings, self.host, self.stop) = (channel, settings, host, stop)
    }

    /// Serves until the coordinator leaves, and returns why in a few words.
    func run() -> String {
        defer { endServer(windowEnd: 0) }
        do throws(ProtocolError) {
            try channel.send(AgentReply.welcome(settings.facts(at: host)))
            while try serveOnce() {}
            return "the agent ends"
        } catch {
            return "\(error)"
        }
    }

    /// Waits for what comes next and does it; false if the agent is to end.
    private func serveOnce() throws(ProtocolError) -> Bool {
        let silent = monotonicNanoseconds() + Self.silence
        while !channel.hasMessage {
            var watched = [stop, channel.descriptor]
            if isPrepared, !hasToldFailure, let server { watched.append(server.failure) }
            let ready = readable(among: watched, until: min(silent, schedule.first ?? .max))
            if ready[0] { return false }
            if let due = schedule.first, due <= monotonicNanoseconds(), let server {
                schedule.removeFirst()
                try channel.send(AgentReply.scheduled(read(server)))
                continue
            }
            if ready.count > 2, ready[2] {
                hasToldFailure = true
                try channel.send(AgentReply.failed)
            }
            if ready[1] { break }
            if monotonicNanoseconds() >= silent { throw ProtocolError("nothing was heard of it for 14 s") }
        }
        guard let message = try channel.receive(until: monotonicNanoseconds() + Self.silence) else {
            throw ProtocolError("nothing was heard of it for 14 s")
        }
        if let reply = answer(try AgentRequest(message: message)) { try channel.send(reply) }
        return true
    }

    private func answer(_ request: AgentRequest) -> AgentReply? {
        switch request {
        case .alive, .cancel: return nil
        case .ping: return .pong(time: monotonicNanoseconds())
        case .reading: return .reading(.read())
        case .start(let order): return tried { () throws(RunError) in .started(try start(order)) }
        case .prepare, .begin, .snapshot, .operations, .leak, .end: break
        }
        guard let server else { return .refused(RunError(failed: "no server was started")) }
        if case .prepare = request {
            return isPrepared ? .prepared(true) : tried { () throws(RunError) in .prepared(try prepare(server)) }
        }
        if case .end(let windowEnd) = request { return end(windowEnd: windowEnd) }
        guard isPrepared else { return .refused(RunError(failed: "the server was not prepared")) }
        switch request {
        case .begin(let window):
            begin(server, window)
            return .begun
        case .snapshot: return .snapshot(read(server))
        case .operations: return .operations(server.operations)
        default: return .leak(server.leak())
        }
    }

    private func tried(_ body: () throws(RunError) -> AgentReply) -> AgentReply {
        do throws(RunError) {
            return try body()
        } catch {
            return .refused(error)
        }
    }

    // MARK: The server

    private func start(_ order: ServerOrder) throws(RunError) -> StartedServer {
        endServer(windowEnd: 0)
        MemoryUse.forgetPeak()
        let before = HostReading.read()
        let endings = [channel.descriptor, stop]
        let made: any Server
        switch order.kind {
        case .mode(let wanted):
            guard let address = SocketAddress(numeric: host, port: 0) else {
                throw RunError(failed: "\(host) is no numeric address")
            }
            var plan = try order.plan(wanted, at: address)
            if let refusal = settings.refuses(plan, wanted.traffic) { throw refusal }
            counter = try counter(order) { (sources) throws(CallCounterRefusal) in
                try CallCounter(threads: max(order.counted, 1), sources: sources)
            }
            plan.loop.calls = counter
            made =
                wanted.traffic.workload == .datagram
                ? try DatagramServer(plan, expecting: wanted.traffic) : try LocalServer(plan, expecting: wanted.traffic)
        case .command(let name, let timeout):
            guard !channel.hasMessage else { throw RunError("\(name): start", .canceled) }
            made = try ServerProcess(try external(name, timeout, order), unless: endings)
        }
        server = made
        return StartedServer(
            address: "\(made.address)", before: before, counter: counter.map { CallCounterFacts($0) })
    }

    private func external(
        _ name: String, _ timeout: UInt64, _ order: ServerOrder
    ) throws(RunError) -> ExternalServer {
        guard let command = settings.commands.first(where: { $0.name == name }) else {
            throw RunError(failed: "no server is allowed by this name; see bench agent --allow")
        }
        guard let address = SocketAddress(numeric: host, port: order.port), (1...1 << 16).contains(order.workers),
            timeout <= 3_600_000_000_000, order.processors.allSatisfy(Affinity.available().contains)
        else { throw RunError(failed: "\(name): a number is out of range") }
        counter = try counter(order) { (sources) throws(CallCounterRefusal) in
            try CallCounter(processes: min(max(order.counted, 1), 1 << 16), sources: sources)
        }
        var server = ExternalServer(name, .command(command.text))
        server.address = address
        server.workers = order.workers
        server.timeoutNanoseconds = timeout
        server.placement = Placement(workers: order.processors, clients: [])
        server.calls = counter
        output = FileManager.default.temporaryDirectory.appending(path: "bench-agent-\(UUID().uuidString).log").path()
        server.outputPath = output
        return server
    }

    private func counter(
        _ order: ServerOrder, _ make: ([CallCounter.Source]) throws(CallCounterRefusal) -> CallCounter
    ) throws(RunError) -> CallCounter? {
        guard !order.counters.isEmpty else { return nil }
        do throws(CallCounterRefusal) {
            return try make(order.counters)
        } catch {
            throw RunError(failed: error.description)
        }
    }

    private func prepare(_ server: any Server) throws(RunError) -> Bool {
        // That it is to be left may have arrived with the question.
        guard !channel.hasMessage else { return false }
        isPrepared = try server.prepare(unless: [channel.descriptor, stop])
        return isPrepared
    }

    private func begin(_ server: any Server, _ window: RunWindow) {
        if window.isOpenEnded {
            // All is queued by then, and counts from the window's start.
            sleepUntil(nanoseconds: min(window.start, monotonicNanoseconds() + 1_000_000_000))
        } else {
            schedule = [window.start, window.end]
        }
        server.begin(window)
    }

    private func read(_ server: any Server) -> HostSnapshot {
        let snapshot = server.snapshot()
        return HostSnapshot(server: snapshot, host: .read())
    }

    private func end(windowEnd: UInt64) -> AgentReply {
        let report = endServer(windowEnd: windowEnd)
        return .ended(EndedServer(report: report, host: .read()))
    }

    @discardableResult
    private func endServer(windowEnd: UInt64) -> ServerReport {
        let report = server?.end(windowEnd: windowEnd) ?? ServerReport()
        (server, counter, schedule, isPrepared, hasToldFailure) = (nil, nil, [], false, false)
        if let output { _ = unsafe unlink(output) }
        output = nil
        return report
    }
}
