import LinuxDescriptors
import LinuxExecutors
import LinuxSockets
import Meters
import SystemPackage

/// Accepts in a task of an executor: await, serve, close.
final class AsyncAcceptor: ExecutorWork, @unchecked Sendable {
    private var service: ServiceTimeSource

    init(_ service: ServiceTimeSource, _ meter: WorkerMeter) {
        self.service = service
        super.init(meter)
    }

    /// Accepts from a listener until the stop signal comes.
    func run(_ listener: BorrowedDescriptor, stop: BorrowedDescriptor, on executor: some EventExecutor) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.awaitStop(stop, executor) }
            group.addTask { await self.accept(from: listener, executor) }
        }
    }

    private func accept(from listener: BorrowedDescriptor, _ executor: some EventExecutor) async {
        do throws(Errno) {
            let listener = try AsyncListener(Listener(owning: listener.duplicate()), on: executor)
            while let connection = await accept(listener, executor) {
                meter.began()
                meter.opened()
                service.serve(meter)
                try connection.close()
                meter.add(.systemCalls)
                meter.closed()
                meter.add(.operations)
            }
        } catch {
            end(error, executor)
        }
    }
}
