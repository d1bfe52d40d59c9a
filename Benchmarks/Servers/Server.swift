package import LinuxDescriptors
package import LinuxSockets
package import Loops
package import Meters

/// Where measured threads run, as the process of the clients sees it.
package enum ServerPlace: Sendable {
    /// In it, or in processes that it started.
    case thisProcess
    /// In another one of this machine that an agent runs.
    case thisMachine
    /// On another machine.
    case otherMachine
}

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

    /// Counters of the machine that they run on, as they were at the last ``snapshot()``.
    var kernelCounters: KernelCounters { get }

    /// Where they run, as this process sees it.
    var place: ServerPlace { get }

    /// By how much a window has to begin later, so that they know of it before; in nanoseconds.
    var leadNanoseconds: UInt64 { get }
}

extension MeasuredThreads {
    package var kernelCounters: KernelCounters { .read() }
    package var place: ServerPlace { .thisProcess }
    package var leadNanoseconds: UInt64 { 0 }
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

    /// What is read of its machine.
    func hostReading() -> HostReading

    /// The same before it was started; nil of this machine, where whoever starts it can read that.
    var readingBefore: HostReading? { get }

    /// Who counts its system calls; nil if nobody does, or who started it knows.
    var counter: CallCounterFacts? { get }
}

extension Server {
    package func leak() -> RunError? { nil }
    package func hostReading() -> HostReading { .read() }
    package var readingBefore: HostReading? { nil }
    package var counter: CallCounterFacts? { nil }
}

/// What a server reports when it has ended.
package struct ServerReport: Sendable, Codable {
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
    /// The most memory that the process of its threads had resident; nil of this process, which its runner can read.
    package var peakMemoryBytes: UInt64?
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
