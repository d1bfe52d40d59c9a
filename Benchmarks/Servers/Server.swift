package import LinuxDescriptors
package import LinuxSockets
package import Loops
package import Meters

/// Threads whose work is measured.
package protocol MeasuredThreads {
    /// Readable when one of them failed; borrowed.
    var failure: BorrowedDescriptor { get }

    /// Starts the work, and sets when the measured window begins and ends.
    func begin(_ window: RunWindow)

    /// What they have done and used so far.
    func snapshot() -> WorkerSnapshot

    /// Operations that they have counted so far; cheap enough to be asked over and over.
    var operations: UInt64 { get }
}

/// A server under test, wherever it runs. Made by listening, so that its address is known.
package protocol Server: MeasuredThreads {
    /// Where clients connect to.
    var address: SocketAddress { get }

    /// Accepts the connections that clients make before the window is known, and gets every thread ready.
    ///
    /// - Parameter endings: readable when a client failed, or the user wants to stop.
    /// - Throws: ``RunError`` if the connections do not come or a thread cannot be started.
    /// - Returns: false if one of `endings` became readable.
    func prepare(unless endings: [BorrowedDescriptor]) throws(RunError) -> Bool

    /// What tells that the server keeps connections open that its clients have closed; nil if nothing does.
    /// All are closed on the clients' side.
    func leak() -> RunError?

    /// Ends the server.
    ///
    /// - Parameter windowEnd: when the measured window ended; until then a waiting worker starved. 0 if it did not.
    func end(windowEnd: UInt64) -> ServerReport
}

extension Server {
    package func leak() -> RunError? { nil }
}

/// What a server reports when it has ended.
package struct ServerReport: Sendable {
    /// The first error that one of its threads ended with.
    package var error: RunError?
    /// The last line that it had printed when it was told to end; nil if there is none.
    package var lastWords: String?
    /// What has to be known beside the figures, each in a line.
    package var remarks: [String] = []
    /// What its threads saw fail without failing themselves.
    package var failures = FailureTally()
    /// The longest time that a waiting worker went without an operation while others had one.
    package var starvationNanoseconds: UInt64 = 0
    /// Most connections open at once.
    package var openPeak: UInt64 = 0
    /// How often there was no listener for a processor; nil without an eBPF program.
    package var steeringFallbacks: UInt64?
}

extension WorkerTeam: MeasuredThreads {}

/// A server whose workers are threads of this process.
package protocol TeamServer: Server {
    /// The threads; there are none before ``Server/prepare(unless:)``.
    var team: WorkerTeam { get }
}

extension TeamServer {
    package var failure: BorrowedDescriptor { team.failure }
    package func begin(_ window: RunWindow) { team.begin(window) }
    package func snapshot() -> WorkerSnapshot { team.snapshot() }
    package var operations: UInt64 { team.operations }
}
