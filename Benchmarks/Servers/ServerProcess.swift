package import LinuxDescriptors
package import LinuxSockets
package import Meters
import SystemPackage

/// A server that is somebody else's program, seen from outside.
package final class ServerProcess: Server {
    /// Starts it if it is a command, and waits until a connection to it succeeds.
    package init(_ plan: ExternalServer, expecting traffic: Traffic) throws(RunError) {
        throw RunError(unsupported: "\(plan.name): other servers cannot be started yet")
    }

    package var address: SocketAddress { fatalError() }
    package var failure: BorrowedDescriptor { fatalError() }
    package func prepare(unless endings: [BorrowedDescriptor]) throws(RunError) -> Bool { fatalError() }
    package func begin(_ window: RunWindow) { fatalError() }
    package func snapshot() -> WorkerSnapshot { fatalError() }
    package var operations: UInt64 { fatalError() }
    package func end(windowEnd: UInt64) -> ServerReport { fatalError() }
}
