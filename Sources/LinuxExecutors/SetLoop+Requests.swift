import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import SystemPackage

extension SetLoop {
    /// Tasks that always find something give way to others after so many operations.
    private static var mostUnsuspended: Int { 256 }

    static var canceledResult: Int32 { -ECANCELED }

    /// Calls until the call does not have to wait.
    nonisolated(nonsending) func callAndWait(_ request: Request) async -> Int32 {
        if request.deed == .awaitReadable || request.deed == .awaitWritable { return await share(request) }
        while true {
            if Task.isCancelled || isClosing { return Self.canceledResult }
            if let result = attempt(request) {
                unsafe unsuspended.pointee += 1
                if unsafe unsuspended.pointee >= Self.mostUnsuspended { await giveWay() }
                return result
            }
            let result = await waitForEdge(request)
            if result < 0 { return result }
        }
    }

    private nonisolated(nonsending) func giveWay() async {
        visitKernelSoon()
        await Task.yield()
    }

    /// Makes the call unless it is known that it would have to wait.
    ///
    /// - Returns: its result or negative error number; nil if it has to wait.
    private func attempt(_ request: Request) -> Int32? {
        expectOwnThread()
        guard let entry = unsafe watches.pointee.entry(request.descriptor.rawValue, request.watch.number) else {
            return -EBUSY
        }
        let isSend = request.deed == .send
        guard unsafe isSend ? entry.pointee.mayWrite : entry.pointee.mayRead else { return nil }
        let result = call(request)
        if result == -EAGAIN {
            if isSend { unsafe entry.pointee.mayWrite = false } else { unsafe entry.pointee.mayRead = false }
            return nil
        }
        // What comes after this call is an edge of its own.
        if request.deed == .receive && request.watch.drainsWhenShort && result > 0 && Int(result) < request.count {
            unsafe entry.pointee.mayRead = entry.pointee.isUnusual
        }
        return result
    }

    private func call(_ request: Request) -> Int32 {
        let number = request.descriptor.rawValue
        let count = min(request.count, Int(Int32.max))
        while true {
            unsafe done.pointee.systemCalls &+= 1
            let result =
                switch request.deed {
                case .receive: unsafe recv(number, request.memory, count, CInt(MSG_DONTWAIT))
                case .send: unsafe send(number, request.memory, count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL))
                case .accept:
                    Int(accept4(number, nil, nil, CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)))
                case .awaitReadable, .awaitWritable, .sleep: preconditionFailure("no call")
                }
            if result >= 0 { return Int32(truncatingIfNeeded: result) }
            if errno != EINTR { return -errno }
        }
    }

    // MARK: Waiting

    /// Suspends the task until an edge is reported.
    ///
    /// - Returns: 0, or a negative error number.
    private nonisolated(nonsending) func waitForEdge(_ request: Request) async -> Int32 {
        let number = request.descriptor.rawValue
        let name = unsafe operations.pointee.begin(request.deed == .send ? .writer : .reader, place: number)
        return await withTaskCancellationHandler {
            await unsafe withUnsafeContinuation { continuation in
                expectOwnThread()
                guard unsafe operations.pointee.suspend(name, continuation) else {
                    return finish(name, Self.canceledResult)
                }
                let result = enlist(name, request)
                if result < 0 { finish(name, result) }
            }
        } onCancel: {
            requestCancellation(of: name)
        }
    }

    /// Puts an operation among those that the next edge resumes.
    private func enlist(_ name: UInt64, _ request: Request) -> Int32 {
        let (number, watch) = (request.descriptor.rawValue, request.watch.number)
        guard let entry = unsafe watches.pointee.entry(number, watch) else { return -EBUSY }
        if unsafe !entry.pointee.isRegistered {
            let events: EpollEvents = [.readable, .writable, .peerClosed, .priority, .edgeTriggered]
            let result = register(request.descriptor, events, Self.token(number, watch))
            if result < 0 { return result }
            unsafe entry.pointee.isRegistered = true
        }
        unsafe push(name, entry, isWriter: request.deed == .send)
        return 0
    }

    func push(_ name: UInt64, _ entry: UnsafeMutablePointer<WatchTable.Entry>, isWriter: Bool) {
        let index = OperationTable.index(name)
        let first = unsafe isWriter ? entry.pointee.writers : entry.pointee.readers
        unsafe operations.pointee.at(index).pointee.next = first
        if isWriter { unsafe entry.pointee.writers = index } else { unsafe entry.pointee.readers = index }
    }

    /// Adds a descriptor to the kernel's set, which may have it from an earlier use that has not closed it.
    func register(_ descriptor: BorrowedDescriptor, _ events: EpollEvents, _ token: UInt64) -> Int32 {
        unsafe done.pointee.systemCalls &+= 1
        do throws(Errno) {
            try epoll.add(descriptor, events, token: token)
            return 0
        } catch {
            if error != .fileExists { return -error.rawValue }
        }
        unsafe done.pointee.systemCalls &+= 1
        do throws(Errno) {
            try epoll.modify(descriptor, events, token: token)
            return 0
        } catch {
            return -error.rawValue
        }
    }

    /// Resumes a task that waits for an edge; the kernel knows nothing of it.
    func abandon(_ name: UInt64) {
        unlink(name)
        finish(name, Self.canceledResult)
    }

    /// Takes an operation out of those of its descriptor.
    func unlink(_ name: UInt64) {
        let index = OperationTable.index(name)
        let operation = unsafe operations.pointee.at(index)
        let isWriter = unsafe operation.pointee.kind == .writer
        if let entry = unsafe watches.pointee.existing(operation.pointee.place) {
            let next = unsafe operation.pointee.next
            var other = unsafe isWriter ? entry.pointee.writers : entry.pointee.readers
            if other == index {
                if isWriter { unsafe entry.pointee.writers = next } else { unsafe entry.pointee.readers = next }
            }
            while other != OperationTable.none && other != index {
                let link = unsafe operations.pointee.at(other)
                other = unsafe link.pointee.next
                if other == index { unsafe link.pointee.next = next }
            }
        }
    }
}
