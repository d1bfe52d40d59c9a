import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// What `epoll_ctl(2)` allows EPOLLEXCLUSIVE to be combined with: each combination is tried on a set and a listener of
/// its own.
let acceptExclusiveFlags = Experiment(
    id: "accept-exclusive-flags",
    statement: "EPOLLEXCLUSIVE goes with EPOLL_CTL_ADD and EPOLLET; MOD, EPOLLONESHOT, EPOLLRDHUP and sets do not",
    source: .manual("epoll_ctl(2)"), keys: attempts.map(\.key),
    observe: {
        var observed = Observed()
        for attempt in attempts {
            let epoll = try Epoll()
            let listener = try ScriptListener()
            let result = outcome { () throws(Errno) in try attempt.call(epoll, listener.descriptor) }
            observed[attempt.key] = result.observed
        }
        return observed
    },
    judge: { observed in
        let differing = differing(observed).count
        return differing == 0 ? .holds : differing == attempts.count ? .doesNotHold : .depends
    },
    explain: { observed in
        let differing = differing(observed).map { "\($0)=\(observed[$0])" }
        return differing.isEmpty
            ? "The kernel takes and refuses what the manual page says."
            : "Against the manual page: \(differing.joined(separator: ", "))."
    })

private struct Attempt: Sendable {
    let key: String
    /// The result according to the manual page.
    let promised: Observed.Datum
    let call: @Sendable (borrowing Epoll, BorrowedDescriptor) throws(Errno) -> Void
}

private let attempts: [Attempt] = [
    adding("add", [], "ok"), adding("add_et", .edgeTriggered, "ok"), adding("add_oneshot", .oneShot, "EINVAL"),
    adding("add_rdhup", .peerClosed, "EINVAL"),
    Attempt(key: "add_epoll", promised: "EINVAL") { (epoll, _) throws(Errno) in
        let inner = try Epoll()
        try epoll.add(inner.descriptor, [.readable, .exclusive], token: 0)
    },
    Attempt(key: "mod_to_exclusive", promised: "EINVAL") { (epoll, listener) throws(Errno) in
        try epoll.add(listener, .readable, token: 0)
        try epoll.modify(listener, [.readable, .exclusive], token: 0)
    },
    Attempt(key: "mod_of_exclusive", promised: "EINVAL") { (epoll, listener) throws(Errno) in
        try epoll.add(listener, [.readable, .exclusive], token: 0)
        try epoll.modify(listener, .readable, token: 0)
    },
]

private func adding(_ key: String, _ flags: EpollEvents, _ promised: Observed.Datum) -> Attempt {
    Attempt(key: key, promised: promised) { (epoll, listener) throws(Errno) in
        try epoll.add(listener, flags.union([.readable, .exclusive]), token: 0)
    }
}

private func differing(_ observed: Observed) -> [String] {
    attempts.filter { observed[$0.key] != $0.promised }.map(\.key)
}
