import Foundation
import Glibc
import LinuxSockets
import Records
import RunSupport
import SystemPackage
import Testing

@testable import Load
@testable import Loops
@testable import Meters
@testable import Runs
@testable import Servers

/// Shuts a listener down behind its owner's back, so that accepting from it fails with `EINVAL`.
private final class Saboteur: Sendable {
    let address: SocketAddress

    /// Waits for a listener on an address that nobody else in this process uses.
    init(of address: String) throws {
        let address = try #require(SocketAddress(numeric: address, port: 0))
        self.address = address
        let host = address.description.prefix { $0 != ":" } + ":"
        Thread {
            while true {
                for number in CInt(3)..<4096 where Self.listens(number, host) {
                    shutdown(number, CInt(SHUT_RD))
                    return
                }
                usleep(500)
            }
        }.start()
    }

    private static func listens(_ number: CInt, _ host: some StringProtocol) -> Bool {
        var accepts: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        guard getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &length) == 0, accepts == 1 else { return false }
        var name = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &size) }
        }
        guard result == 0, CInt(name.sin_family) == AF_INET else { return false }
        let bytes = withUnsafeBytes(of: name.sin_addr.s_addr) { $0.map(String.init) }
        return bytes.joined(separator: ".") + ":" == host
    }
}

/// A run that did not end early would go on for ten minutes here, and be no failure.
@Suite(.serialized) struct FailureTests {
    private static let longTime: UInt64 = 600_000_000_000

    @Test(arguments: Combination.defaults.filter { $0.mode.mechanism != .blocking }.enumerated().map { $0 })
    func aWorkerThatFailsEndsTheRun(_ index: Int, _ combination: Combination) throws {
        let saboteur = try Saboteur(of: "127.0.77.\(index + 1)")
        var plan = combination.plan(workers: 2)
        plan.durationNanoseconds = Self.longTime
        plan.server.address = saboteur.address
        let measurement = try measure(plan, Interruption())
        #expect(measurement.status == .failed)
        #expect(measurement.reason.contains("a worker stopped"))
        #expect(measurement.reason.contains("\(Errno.invalidArgument)"))
    }

    @Test(arguments: ["epoll-lt", "blocking", "epoll-oneshot"]) func aWorkerThatCannotBePinnedEndsTheRun(
        _ mode: String
    ) throws {
        for load in [LoadPlan.Pace.closedLoop, .drain(10)] {
            var plan = try #require(Combination.named(mode)).plan(workers: 2, load)
            plan.durationNanoseconds = Self.longTime
            plan.loop.placement = Placement(workers: [8191], clients: [])
            let measurement = try measure(plan, Interruption())
            #expect(measurement.status == .failed)
            #expect(measurement.reason.contains("\(Errno.invalidArgument)"))
        }
    }

    @Test func aClientThatCannotBePinnedEndsADrain() throws {
        var plan = try #require(Combination.named("epoll-lt")).plan(.drain(10))
        plan.load.clients = 2
        plan.loop.placement = Placement(workers: [], clients: [8191])
        let error = #expect(throws: RunError.self) { try measure(plan, Interruption()) }
        #expect(error?.description == "client: \(Errno.invalidArgument)")
    }

    @Test func anAddressInUseNamesTheCall() throws {
        let first = try Listener(.loopback())
        var plan = try #require(Combination.named("epoll-lt")).plan()
        plan.server.address = try first.address
        let error = #expect(throws: RunError.self) { try measure(plan, Interruption()) }
        #expect(error?.description == "bind to \(plan.server.address): \(Errno.addressInUse)")
        #expect(throws: RunError.self) { try tryListening(plan.server, plan.load.traffic) }
    }

    @Test(arguments: Combination.defaults, [false, true])
    func anInterruptedRunIsPartial(_ combination: Combination, drains: Bool) throws {
        var plan = combination.plan(workers: 2, drains ? .drain(50) : .closedLoop)
        plan.durationNanoseconds = Self.longTime
        if combination.implementation == .swift {
            plan.server.service = ServiceTime(distribution: .fixed(2_000_000), work: .sleep)
        }
        // Of its own, because a signal to a thread waits for that thread alone.
        let run = BenchThread("interrupted", processor: nil) { [plan] () throws(Errno) in
            let interruption = try Interruption()
            raise(SIGINT)
            return Result { () throws(RunError) in try measure(plan, interruption) }
        }
        let measurement = try run.join().get().get()
        if drains && measurement.status == .ok {
            // The last close came before the signal was looked for.
            #expect(measurement.perWorker.reduce(0, +) == 50)
        } else {
            #expect(measurement.status == .partial)
            #expect(measurement.reason == "interrupted")
            #expect(measurement.lost == 0)
        }
    }
}
