import Foundation
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Load
import Meters
import Servers
import SystemPackage

/// The clients of a run on the hosts that have joined.
///
/// All begin at one time: each is told it by its own clock. What they saw comes back by the coordinator's clock.
final class RemoteClients: Clients, @unchecked Sendable {
    // Unchecked: what changes is guarded by `condition`.
    let abandonment = Abandonment()
    private let hosts: LoadHosts
    private let members: [LoadMember]
    private let clocks: [ClockOffset]
    private let condition = NSCondition()
    private var limit = UInt64.max
    private var window: RunWindow?
    private let alarm: EventFD

    /// How much later than its deadline a run may end, for a result that crosses the network.
    private static let patience: UInt64 = 15_000_000_000

    /// Has the hosts' clients connect, and wait.
    ///
    /// - Throws: one line that names the host.
    init(_ hosts: LoadHosts, _ load: LoadPlan, to server: SocketAddress, seed: UInt64) throws(RunError) {
        (self.hosts, members) = (hosts, hosts.members)
        if let refusal = Self.refusal(of: server, to: members) { throw refusal }
        alarm = try makeSignal()
        var clocks: [ClockOffset] = []
        for member in members {
            do throws(ProtocolError) {
                clocks.append(try member.clock())
            } catch {
                member.lose("\(error)")
                throw RunError(failed: "\(member.name): \(error)")
            }
        }
        self.clocks = clocks
        let run = hosts.nextRun()
        for member in members {
            var part = load
            part.part = LoadPart(rank: member.rank, of: hosts.count)
            member.start(run, LoadOrder(part, to: server, seed: seed)) { [weak self] in self?.look() }
        }
        abandonment.onRequest { [members] in for member in members { member.send(.abandon) } }
    }

    /// Why other hosts cannot reach a server; nil if they can as far as its address says.
    private static func refusal(of server: SocketAddress, to members: [LoadMember]) -> RunError? {
        guard server.port != nil else { return RunError(failed: "load hosts do not reach a unix socket; use a port") }
        let isEvery = ["0.0.0.0", "::"].contains(server.host)
        guard isEvery || server.isLoopback else { return nil }
        guard let member = members.first(where: { isEvery || !$0.isOnThisHost }) else { return nil }
        return RunError(
            failed: "the server listens on \(server.host), which is another place on \(member.name); give --address")
    }

    /// Something of a member has changed.
    private func look() {
        if members.contains(where: \.hasFailed) { _ = try? alarm.add() }
        condition.withLock { condition.broadcast() }
    }

    /// False if the time came first.
    private func wait(until deadline: UInt64, _ isSo: () -> Bool) -> Bool {
        condition.withLock {
            while !isSo() {
                let now = monotonicNanoseconds()
                guard now < deadline else { return false }
                let left = min(Double(deadline - now) / 1e9, 3600)
                _ = condition.wait(until: Date(timeIntervalSinceNow: left))
            }
            return true
        }
    }

    var failure: BorrowedDescriptor { alarm.descriptor }
    var accounts: [ThreadAccount] { [] }
    var isFinished: Bool { members.allSatisfy { $0.runOutcome != nil } }

    /// A few ways there and back, so that none begins before it knows when.
    var leadNanoseconds: UInt64 { 8 * (clocks.map(\.error).max() ?? 0) + 5_000_000 }

    private var areReady: Bool { members.allSatisfy { $0.isWaiting || $0.runOutcome != nil } }

    func areReady(withinSeconds seconds: Double) -> Bool {
        wait(until: monotonicNanoseconds() + UInt64(seconds * 1e9)) { areReady }
    }

    func waitUntilReady() { _ = wait(until: .max) { areReady } }

    func begin(_ window: RunWindow) {
        condition.withLock { (self.window, limit) = (window, window.deadline + Self.patience) }
        for (member, clock) in zip(members, clocks) { member.send(.begin(clock.there(window))) }
    }

    func giveUp() { abandonment.request() }

    func join() -> [Result<ClientResult, Errno>] {
        let latest = abandonment.isRequested ? monotonicNanoseconds() + Self.patience : .max
        if !wait(until: min(condition.withLock { limit }, latest), { isFinished }) {
            for member in members where member.runOutcome == nil { member.lose("no figures came of a run") }
        }
        return zip(members, clocks).flatMap { (member, clock) -> [Result<ClientResult, Errno>] in
            guard case .result(let result) = member.runOutcome else { return [.failure(.connectionReset)] }
            return [result.seen, result.probe].compactMap { $0.map { .success($0.moved(by: clock.nanoseconds)) } }
        }
    }

    func reason(_ plan: RunPlan) -> RunError? {
        for member in members {
            guard case .failed(let error) = member.runOutcome else { continue }
            return error.oneLine(before: member.name)
        }
        return nil
    }

    func complete(_ measurement: inout Measurement) {
        let results = members.compactMap { member -> HostResult? in
            if case .result(let result) = member.runOutcome { result } else { nil }
        }
        guard results.count == members.count else { return }
        measurement.client = results.reduce(ThreadUsage()) { $0 + $1.usage }
        let possible = Double(results.reduce(0) { $0 + $1.clients }) * Double(measurement.windowNanoseconds)
        if possible > 0 { measurement.clientBusy = min(Double(measurement.client.cpuNanoseconds) / possible, 1) }
        let begun = zip(results, clocks).map { $0.seen.moved(by: $1.nanoseconds) }
        measurement.hosts = HostTimes(
            begun: begun.map { ($0.begun, $0.lastBegun) }, clockErrors: clocks.map(\.error), window: window)
    }
}

extension LoadMember {
    fileprivate var hasFailed: Bool { if case .failed = runOutcome { true } else { false } }
}
