import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// Every removal that one might try, once the registered number is closed.
///
/// 1. EPOLL_CTL_DEL with the closed number.
/// 2. EPOLL_CTL_DEL with the duplicate: the same open file description under another number.
/// 3. EPOLL_CTL_DEL with the number, after another file was opened under it.
/// 4. Ten waits: is the ghost still there?
extension Experiment {
    static let lifeRemoveAfterClose = Experiment(
        id: "life-remove-after-close",
        statement: "after the close nothing removes the registration: not the old number, not the duplicate",
        source: .m2, keys: ["closed", "dup", "reused"],
        observe: {
            let ghost = try Ghost()
            let closed = outcome { () throws(Errno) in try ghost.epoll.remove(ghost.number) }
            let duplicate = outcome { () throws(Errno) in try ghost.epoll.remove(ghost.duplicate.descriptor) }
            let other = try move(try EventFD().release(), to: ghost.number.rawValue)
            let reused = outcome { () throws(Errno) in try ghost.epoll.remove(other.descriptor) }
            try other.close()
            let events = try ghost.events()
            ghost.end()
            return ["closed": closed, "dup": duplicate, "reused": reused, "events_after": events]
        },
        judge: { observed in
            let working = ["closed", "dup", "reused"].filter { observed[$0] == "ok" }
            return working.isEmpty ? .holds : .doesNotHold
        },
        explain: { observed in
            let working = ["closed", "dup", "reused"].filter { observed[$0] == "ok" }
            return working.isEmpty
                ? "Every EPOLL_CTL_DEL is refused." : "EPOLL_CTL_DEL works by \(working.joined(separator: ", "))."
        })
}
