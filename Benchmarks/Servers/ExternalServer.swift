package import LinuxSockets
package import Meters

/// A server that is not one of our loops: what is known of it before it runs.
package struct ExternalServer: Sendable {
    /// What rows call it.
    package var name: String
    /// How it comes to run.
    package var origin: Origin
    /// Where it listens; port 0 lets the kernel choose one for each start of a command.
    package var address = SocketAddress.loopback()
    /// How many workers its command is asked for.
    package var workers = 1
    /// How long it may take to listen, in nanoseconds.
    package var timeoutNanoseconds: UInt64 = 10_000_000_000
    /// The file that its output is added to; nil to drop it.
    package var outputPath: String?
    /// Where its processes and the clients run.
    package var placement = Placement.unpinned
    /// Seeds what the clients draw.
    package var seed: UInt64 = 1
    /// Counts its system calls in the kernel; nil in a run whose times are measured.
    package var calls: CallCounter?

    /// How a server comes to run.
    package enum Origin: Sendable, Equatable {
        /// A command of the shell, started for each run; `{port}` or `{socket}`, `{address}`, `{workers}` and
        /// `{cpus}` are filled in.
        case command(String)
        /// It runs already; with the number of its first process if that is known.
        case running(process: Int32?)
    }

    /// Why a command's server could not be told where to listen; nil if it can.
    ///
    /// - Parameter port: the one that servers are to listen on; 0 if the kernel chooses.
    package static func refusal(of command: String, port: UInt16) -> String? {
        ServerCommand.refusal(of: command, port: port)
    }

    /// Takes a name and how it comes to run.
    package init(_ name: String, _ origin: Origin) {
        self.name = name
        self.origin = origin
    }
}
