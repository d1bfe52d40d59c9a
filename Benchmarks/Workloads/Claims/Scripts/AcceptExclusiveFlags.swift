import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// What `epoll_ctl(2)` lets EPOLLEXCLUSIVE be combined with: each combination is tried on a set and a listener of its
/// own.
extension Experiment {
    static let acceptExclusiveFlags = Experiment(
        id: "accept-exclusive-flags",
        statement: "EPOLLEXCLUSIVE goes with EPOLL_CTL_ADD and EPOLLET; MOD, EPOLLONESHOT, EPOLLRDHUP and sets do not",
        source: .manual("epoll_ctl(2)"), keys: manual.keys,
        observe: {
            var observed = Observed()
            for attempt in attempts { observed[attempt.key] = try attempt.result() }
            return observed
        },
        judge: { observed in
            let agreeing = manual.keys.filter { observed[$0] == manual[$0] }.count
            return agreeing == manual.keys.count ? .holds : agreeing == 0 ? .doesNotHold : .depends
        },
        explain: { observed in
            let differing = manual.keys.filter { observed[$0] != manual[$0] }
            return differing.isEmpty
                ? "The kernel takes and refuses what the manual page says."
                : "Against the manual page: \(differing.map { "\($0)=\(observed[$0] ?? "")" }.joined(separator: ", "))."
        })
}

/// What the manual page promises.
private let manual: Observed = [
    "add": "ok", "add_et": "ok", "add_oneshot": "EINVAL", "add_rdhup": "EINVAL", "add_epoll": "EINVAL",
    "mod_to_exclusive": "EINVAL", "mod_of_exclusive": "EINVAL",
]

private struct Attempt: Sendable {
    let key: String
    let attempt: @Sendable (borrowing Epoll, BorrowedDescriptor) throws(Errno) -> Void

    func result() throws -> String {
        let epoll = try Epoll()
        let listener = try ScriptListener()
        return outcome { () throws(Errno) in try attempt(epoll, listener.descriptor) }
    }
}

private let attempts: [Attempt] = [
    adding("add", []), adding("add_et", .edgeTriggered), adding("add_oneshot", .oneShot),
    adding("add_rdhup", .peerClosed),
    Attempt(key: "add_epoll") { (epoll, _) throws(Errno) in
        let inner = try Epoll()
        try epoll.add(inner.descriptor, [.readable, .exclusive], token: 0)
    },
    Attempt(key: "mod_to_exclusive") { (epoll, listener) throws(Errno) in
        try epoll.add(listener, .readable, token: 0)
        try epoll.modify(listener, [.readable, .exclusive], token: 0)
    },
    Attempt(key: "mod_of_exclusive") { (epoll, listener) throws(Errno) in
        try epoll.add(listener, [.readable, .exclusive], token: 0)
        try epoll.modify(listener, .readable, token: 0)
    },
]

private func adding(_ key: String, _ flags: EpollEvents) -> Attempt {
    Attempt(key: key) { (epoll, listener) throws(Errno) in
        try epoll.add(listener, flags.union([.readable, .exclusive]), token: 0)
    }
}
