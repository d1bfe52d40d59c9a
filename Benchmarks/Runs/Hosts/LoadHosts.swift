import Foundation
import Glibc
package import LinuxDescriptors
import LinuxReadiness
package import LinuxSockets
package import Meters
package import Servers
import SystemPackage

/// The hosts that load for a coordinator: it listens for them, and keeps them for all runs of an invocation.
package final class LoadHosts: Sendable {
    /// How many there are to be.
    package let count: Int
    /// Where it listens.
    package let address: SocketAddress
    private let settings: Settings
    private let desk: Locked<JoinDesk?>
    private let list = Locked<[LoadMember]>([])
    private let runs = Locked<UInt64>(0)
    private let stop: EventFD

    /// What the coordinator's command line decides.
    package struct Settings: Sendable {
        /// What hosts must know.
        package var secret: AgentSecret
        /// What they must speak.
        package var version: AgentVersion
        /// The commit and the build of this program, which theirs must be.
        package var commit: String
        /// `release` or `debug`.
        package var build: String
        /// How long nothing may be heard of a host, in nanoseconds; the same on both sides.
        package var silence: UInt64 = 14_000_000_000
        /// Takes a line for the user.
        package var log: @Sendable (String) -> Void = { _ in }

        /// Takes what there is no default for.
        package init(_ secret: AgentSecret, _ version: AgentVersion, commit: String, build: String) {
            (self.secret, self.version, self.commit, self.build) = (secret, version, commit, build)
        }
    }

    /// Listens.
    ///
    /// - Throws: one line, also where there is no OpenSSL.
    package init(_ count: Int, at wanted: SocketAddress, _ settings: Settings) throws(RunError) {
        (self.count, self.settings) = (count, settings)
        stop = try makeSignal()
        let desk = try JoinDesk(count, wanted, settings)
        address = desk.address
        self.desk = Locked(desk)
    }

    /// Waits until all have joined. Those that do not fit are sent away, also later.
    ///
    /// - Parameters:
    ///   - seconds: how long it waits.
    ///   - endings: each ends the wait when it becomes readable.
    /// - Returns: false if an ending came.
    /// - Throws: one line with those that are missing.
    package func gather(seconds: Double, unless endings: [BorrowedDescriptor]) throws(RunError) -> Bool {
        guard
            let desk = desk.withLock({ desk in
                defer { desk = nil }
                return desk
            })
        else { return true }
        guard try desk.run(until: monotonicNanoseconds() + UInt64(seconds * 1e9), unless: endings) else { return false }
        list.withLock { $0 = desk.joined }
        let end = stop.descriptor
        // Who comes too late is told so.
        if let error = startThread({ [self] in
            desk.turnAway(until: end)
            withExtendedLifetime(self) {}
        }) {
            throw RunError("pthread_create", error)
        }
        return true
    }

    /// All of them, by their numbers.
    var members: [LoadMember] { list.withLock { $0 } }

    /// The machines that they run on, by their numbers.
    package var machineIDs: [String] { members.map(\.facts.machineID) }

    /// Which of them is gone and why, in one line; nil if all are there.
    package var loss: String? {
        for member in members { if let loss = member.loss { return "\(member.name): \(loss)" } }
        return nil
    }

    /// Tells them that no other run comes.
    package func end() {
        _ = try? stop.add()
        for member in members { member.end() }
    }

    /// Tells one run from the next.
    func nextRun() -> UInt64 {
        runs.withLock {
            $0 += 1
            return $0
        }
    }
}
