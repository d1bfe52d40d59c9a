package import LinuxDescriptors
package import LinuxReadiness
package import SystemPackage

/// An epoll set over listeners, connections and the stop signal; a class, so that threads can share it.
package final class SharedEpoll: Sendable {
    package let epoll: Epoll

    package init(
        _ listeners: [CInt], _ connections: [CInt], _ loop: Mode, stop: BorrowedDescriptor
    ) throws(Errno) {
        let mode = loop.capabilities
        epoll = try Epoll()
        let busyPoll = Int64(loop.options.busyPollMicroseconds)
        if busyPoll > 0 { try epoll.setBusyPolling(Epoll.BusyPolling(duration: .microseconds(busyPoll))) }
        // Level-triggered, so that the one signal wakes every worker.
        try epoll.add(stop, .readable, token: Token(.stop).rawValue)
        for fd in listeners {
            try epoll.add(
                BorrowedDescriptor(rawValue: fd), mode.listenerFlags ?? mode.flags, token: Token(.listener, fd).rawValue
            )
        }
        for fd in connections {
            try epoll.add(BorrowedDescriptor(rawValue: fd), mode.flags, token: Token(.connection, fd).rawValue)
        }
    }
}
