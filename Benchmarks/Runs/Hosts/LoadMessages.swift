import Load
import Meters

/// What a coordinator says to a host that loads for it.
enum LoadRequest: Codable, Sendable {
    /// It has joined, under this number.
    case welcome(rank: Int)
    /// Why it is sent away, and the connection ends.
    case refused(String)
    /// What time it is.
    case ping
    /// Nothing: the coordinator is there. The host says the same.
    case alive
    /// Clients of a run are to connect and wait.
    case start(run: UInt64, LoadOrder)
    /// When they are to work, by the host's own clock.
    case begin(RunWindow)
    /// They are to give up at once.
    case abandon
    /// No other run comes.
    case end
}

/// What a host that loads says.
enum LoadReply: Codable, Sendable {
    /// After the handshake.
    case hello(LoadHostFacts)
    case pong(time: UInt64)
    /// The answer to the same: the host is there.
    case alive
    /// The clients of a run are connected, and wait.
    case ready(run: UInt64)
    /// What the clients of a run saw.
    case result(run: UInt64, HostResult)
    /// Why the clients of a run could not begin, or not go on.
    case failed(run: UInt64, RunError)
}

/// What a host that loads says of itself.
package struct LoadHostFacts: Codable, Sendable {
    /// Its number, from 0; nil to be given one.
    package var rank: Int?
    /// Of how many hosts it is one; nil where its launcher does not say so.
    package var size: Int?
    /// The machine, the commit and the build of its program.
    package var machineID: String
    /// The commit of its program.
    package var commit: String
    /// `release` or `debug`.
    package var build: String

    /// Takes all of it.
    package init(rank: Int? = nil, size: Int? = nil, machineID: String, commit: String, build: String) {
        (self.rank, self.size) = (rank, size)
        (self.machineID, self.commit, self.build) = (machineID, commit, build)
    }
}

/// What the clients of one host saw and used in a run.
struct HostResult: Codable, Sendable {
    /// Of all its clients together.
    var seen: ClientResult
    /// Of the probe, which is not one of them; nil where there is none.
    var probe: ClientResult?
    /// CPU time and switches of its clients in the window.
    var usage: ThreadUsage
    /// Its client threads.
    var clients: Int
}
