import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// A loop that waits with an epoll set: operations call first, and wait for an edge when the call would wait.
@safe final class SetLoop: ExecutorLoop, @unchecked Sendable {
    let epoll: Epoll
    private let events: EpollEventBuffer
    let watches: UnsafeMutablePointer<WatchTable>
    /// Operations since the last visit that did not have to wait.
    let unsuspended: UnsafeMutablePointer<Int>
    /// What was done so far.
    let done: UnsafeMutablePointer<ExecutorCounts>

    /// What events of the alarm carry; no watch has the number 0.
    private static let alarmToken: UInt64 = 0

    /// After these a short receive proves nothing.
    private static let unusual: EpollEvents = [.peerClosed, .hangup, .error, .priority]
    private static let endsWrites: EpollEvents = [.writable, .hangup, .error]

    /// Makes the set; the alarm's edges end its waits, and its count is never taken.
    init(jobsInARow: Int) throws(Errno) {
        let alarm = try Self.makeAlarm()
        let end = try EventFD()
        epoll = try Epoll()
        events = EpollEventBuffer(capacity: 256)
        unsafe watches = .allocate(capacity: 1)
        unsafe watches.initialize(to: WatchTable())
        unsafe unsuspended = .allocate(capacity: 1)
        unsafe unsuspended.initialize(to: 0)
        unsafe done = .allocate(capacity: 1)
        unsafe done.initialize(to: ExecutorCounts())
        super.init(jobsInARow: jobsInARow, alarm: alarm, end: end)
        try epoll.add(self.alarm.descriptor, [.readable, .edgeTriggered], token: Self.alarmToken)
    }

    deinit {
        unsafe watches.deinitialize(count: 1).deallocate()
        unsafe unsuspended.deallocate()
        unsafe done.deallocate()
    }

    static func token(_ number: CInt, _ watch: UInt32) -> UInt64 {
        UInt64(watch) << 32 | UInt64(UInt32(bitPattern: number))
    }

    override nonisolated(nonsending) func performRequest(_ request: Request) async -> Int32 {
        await callAndWait(request)
    }

    override var counts: ExecutorCounts { unsafe done.pointee }

    override func cancelRequest(_ name: UInt64) { abandon(name) }

    override func visitKernel(waiting: Bool) {
        precondition(stamp.isCurrent, "the child of a fork came back to its parent's executor: end it with _exit(2)")
        unsafe unsuspended.pointee = 0
        let count: Int
        do throws(Errno) {
            count = try epoll.wait(into: events, timeout: waiting ? waitLimit : .zero)
        } catch {
            preconditionFailure("epoll_wait(2): \(error)")
        }
        unsafe done.pointee.visits &+= 1
        unsafe done.pointee.systemCalls &+= 1
        unsafe done.pointee.events &+= UInt64(count)
        for index in 0..<count {
            let event = events[index]
            if event.token != Self.alarmToken { take(event) }
        }
    }

    /// Nothing is to be ended: no operation is pending, and the set's descriptor is closed with the loop.
    override func closeKernel() {}

    /// Resumes who waits for what has happened; an event of an earlier use of the number is nobody's.
    private func take(_ event: EpollEvent) {
        let number = CInt(truncatingIfNeeded: event.token)
        guard let entry = unsafe watches.pointee.existing(number),
            unsafe entry.pointee.watch == UInt32(truncatingIfNeeded: event.token >> 32)
        else { return }
        if event.events.rawValue & Self.unusual.rawValue != 0 {
            unsafe entry.pointee.isUnusual = true
        }
        var (readers, writers) = (OperationTable.none, OperationTable.none)
        if event.events.rawValue & (Self.unusual.rawValue | EpollEvents.readable.rawValue) != 0 {
            unsafe entry.pointee.mayRead = true
            readers = unsafe entry.pointee.readers
            unsafe entry.pointee.readers = OperationTable.none
        }
        if event.events.rawValue & Self.endsWrites.rawValue != 0 {
            unsafe entry.pointee.mayWrite = true
            writers = unsafe entry.pointee.writers
            unsafe entry.pointee.writers = OperationTable.none
        }
        resume(readers, 0)
        resume(writers, 0)
    }

    func resume(_ first: UInt32, _ result: Int32) {
        var index = first
        while index != OperationTable.none {
            let next = unsafe operations.pointee.at(index).pointee.next
            finish(unsafe operations.pointee.name(index), result)
            index = next
        }
    }
}
