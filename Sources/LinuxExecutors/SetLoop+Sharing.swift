import Glibc
import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// Waits for descriptors of any kind, which are in the kernel's set only meanwhile.
///
/// The set has a number once, whoever waits for it: all share an entry, and the kernel is asked for what any of them
/// waits for. The registration ends with the last of them.
extension SetLoop {
    /// Suspends the task until a descriptor can be read, or written.
    ///
    /// - Returns: 0, or a negative error number.
    nonisolated(nonsending) func share(_ request: Request) async -> Int32 {
        if Task.isCancelled || isClosing { return Self.canceledResult }
        let (descriptor, isWriter) = (request.descriptor, request.deed == .awaitWritable)
        let number = descriptor.rawValue
        if number < 0 { return -EBADF }
        guard let entry = unsafe watches.pointee.sharedEntry(number, request.watch.number) else { return -EBUSY }
        unsafe entry.pointee.sharers += 1
        let name = unsafe operations.pointee.begin(isWriter ? .writer : .reader, place: number)
        let result = await withTaskCancellationHandler {
            await unsafe withUnsafeContinuation { continuation in
                expectOwnThread()
                guard unsafe operations.pointee.suspend(name, continuation) else {
                    return finish(name, Self.canceledResult)
                }
                join(name, descriptor, isWriter: isWriter)
            }
        } onCancel: {
            requestCancellation(of: name)
        }
        leave(descriptor)
        return result
    }

    private func join(_ name: UInt64, _ descriptor: BorrowedDescriptor, isWriter: Bool) {
        guard let entry = unsafe watches.pointee.existing(descriptor.rawValue) else {
            return finish(name, -EBADF)
        }
        unsafe push(name, entry, isWriter: isWriter)
        let result = unsafe arm(descriptor, entry)
        if result < 0 {
            unlink(name)
            finish(name, result)
        }
    }

    /// Ends a wait; those of others go on.
    private func leave(_ descriptor: BorrowedDescriptor) {
        guard let entry = unsafe watches.pointee.existing(descriptor.rawValue) else { return }
        unsafe entry.pointee.sharers -= 1
        if unsafe entry.pointee.sharers == 0 {
            if unsafe entry.pointee.isRegistered {
                unsafe done.pointee.systemCalls &+= 1
                try? epoll.remove(descriptor)
            }
            unsafe entry.pointee = WatchTable.Entry()
            return
        }
        // The event that ended this wait has ended the registration, too.
        let result = unsafe arm(descriptor, entry)
        if result < 0 { unsafe resumeAll(entry, result) }
    }

    /// Asks the kernel for one event of what the entry's operations wait for.
    ///
    /// - Returns: 0, or a negative error number.
    @unsafe private func arm(
        _ descriptor: BorrowedDescriptor, _ entry: UnsafeMutablePointer<WatchTable.Entry>
    ) -> Int32 {
        var events: EpollEvents = .oneShot
        if unsafe entry.pointee.readers != OperationTable.none { events.insert(.readable) }
        if unsafe entry.pointee.writers != OperationTable.none { events.insert(.writable) }
        // All have been resumed and are about to leave.
        if events == .oneShot { return 0 }
        let token = unsafe Self.token(descriptor.rawValue, entry.pointee.watch)
        guard unsafe entry.pointee.isRegistered else {
            let result = register(descriptor, events, token)
            if result == 0 { unsafe entry.pointee.isRegistered = true }
            return result
        }
        unsafe done.pointee.systemCalls &+= 1
        do throws(Errno) {
            try epoll.modify(descriptor, events, token: token)
            return 0
        } catch {
            return -error.rawValue
        }
    }

    @unsafe private func resumeAll(_ entry: UnsafeMutablePointer<WatchTable.Entry>, _ result: Int32) {
        let (readers, writers) = unsafe (entry.pointee.readers, entry.pointee.writers)
        unsafe entry.pointee.readers = OperationTable.none
        unsafe entry.pointee.writers = OperationTable.none
        resume(readers, result)
        resume(writers, result)
    }
}
