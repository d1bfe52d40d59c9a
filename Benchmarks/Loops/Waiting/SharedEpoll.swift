package import LinuxDescriptors
package import LinuxReadiness
package import SystemPackage

/// An epoll set over listeners, connections and the stop signal; a class, so that threads can share it.
package final class SharedEpoll: Sendable {
    package let epoll: Epoll

    package init(
        _ listeners: [CInt], _ connections: [CInt], _ flags: EpollEvents, stop: BorrowedDescriptor
    ) throws(Errno) {
        epoll = try Epoll()
        // Level-triggered, so that the one signal wakes every worker.
        try epoll.add(stop, .readable, token: Token(.stop).rawValue)
        for number in listeners {
            // A dispatcher accepts by itself, so its listeners report as long as somebody waits.
            let listenerFlags = flags == dispatchedFlags ? .readable : flags
            try epoll.add(
                BorrowedDescriptor(rawValue: number), listenerFlags, token: Token(.listener, number).rawValue)
        }
        for number in connections {
            try epoll.add(BorrowedDescriptor(rawValue: number), flags, token: Token(.connection, number).rawValue)
        }
    }
}
