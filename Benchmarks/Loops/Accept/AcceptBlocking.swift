import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

/// Accepts by waiting in `accept4(2)`, until the listener is shut down: the pre-fork model.
///
/// The kernel wakes one waiting thread for each connection, the one that has waited longest.
func acceptBlocking(_ listener: BorrowedDescriptor, _ service: inout ServiceTimeSource, _ meter: WorkerMeter)
    throws(Errno)
{
    while true {
        do throws(Errno) {
            // None comes only when the run ended during a shortage: the listener is shut down next.
            guard let connection = try acceptPatiently(from: listener, meter) else { return }
            meter.add(.wakeups)
            try serveAndClose(connection, &service, meter)
        } catch .invalidArgument {
            return
        }
    }
}
