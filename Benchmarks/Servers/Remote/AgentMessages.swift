import Foundation
package import Meters

/// What a coordinator asks of an agent. One question is under way at a time.
enum AgentRequest: Codable, Sendable {
    /// What time it is.
    case ping
    /// Nothing: the coordinator is there.
    case alive
    case start(ServerOrder)
    case prepare
    /// Ends a ``start`` or ``prepare`` that is under way; without an answer of its own.
    case cancel
    /// With the times of the agent's clock.
    case begin(RunWindow)
    case snapshot
    case reading
    case operations
    case leak
    case end(windowEnd: UInt64)
}

/// What an agent says.
enum AgentReply: Codable, Sendable {
    /// After the handshake.
    case welcome(AgentFacts)
    /// After the handshake, and the connection ends.
    case busy(String)
    case pong(time: UInt64)
    case started(StartedServer)
    case prepared(Bool)
    case begun
    case snapshot(HostSnapshot)
    /// Unasked: what was read at the window's start, and at its end.
    case scheduled(HostSnapshot)
    case reading(HostReading)
    case operations(UInt64)
    case leak(RunError?)
    case ended(EndedServer)
    /// Why what was asked cannot be.
    case refused(RunError)
    /// Unasked: a thread or process of the server has failed.
    case failed
}

/// What is read of a server's machine, beside the server.
package struct HostReading: Codable, Sendable {
    /// Of the whole machine.
    package var kernel: KernelCounters
    /// Of the process that runs the server, and of the kernel.
    package var memory: MemoryUse

    /// Of this machine, now.
    package static func read() -> HostReading { HostReading(kernel: .read(), memory: .read()) }
}

/// A reading of a server and of its machine.
struct HostSnapshot: Codable, Sendable {
    var server: WorkerSnapshot
    var host: HostReading
}

/// What is known of a server that listens.
struct StartedServer: Codable, Sendable {
    /// Where, as `127.0.0.1:80`.
    var address: String
    /// Of the machine before the server was started.
    var before: HostReading
    /// Who counts its system calls; nil if nobody does.
    var counter: CallCounterFacts?
}

/// What is known of a server that has ended.
struct EndedServer: Codable, Sendable {
    var report: ServerReport
    var host: HostReading
}

/// What an agent says of itself and its machine.
package struct AgentFacts: Codable, Sendable {
    /// The machine.
    package var machine: MachineFacts
    /// The commit and the build of its program.
    package var commit: String
    /// `release` or `debug`.
    package var build: String
    /// Where its servers listen, numeric.
    package var address: String
    /// The processors that its servers may have.
    package var processors: [Int]
    /// The servers that it starts by their names.
    package var servers: [AllowedServer]
    /// Who counts system calls there; nil if nobody can.
    package var counter: CallCounterFacts?
    /// Why nobody can; empty if somebody does.
    package var counterRefusal = ""
    /// Whether it is for want of privilege.
    package var counterNeedsPrivilege = false
}

/// A server command that an agent's own command line allows.
package struct AllowedServer: Codable, Sendable, Equatable {
    /// What coordinators call it.
    package var name: String
    /// Whether its command can be told how many workers to have.
    package var takesWorkers: Bool
}

extension Encodable {
    /// As JSON.
    func encoded() throws(ProtocolError) -> [UInt8] {
        do {
            return Array(try JSONEncoder().encode(self))
        } catch {
            throw ProtocolError("a message that is no JSON")
        }
    }
}

extension Decodable {
    /// Reads a message.
    package init(message: [UInt8]) throws(ProtocolError) {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(message))
        } catch {
            throw ProtocolError("a message that is not understood")
        }
    }
}
