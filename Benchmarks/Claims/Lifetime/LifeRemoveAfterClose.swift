import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// Every removal that one might try, once the registered number is closed: EPOLL_CTL_DEL with the closed number, with
/// the duplicate, and with the number after another file was opened under it.
let lifeRemoveAfterClose = Experiment(
    id: "life-remove-after-close",
    statement: "after the close nothing removes the registration: not the old number, not the duplicate",
    source: .m2, keys: ["closed", "dup", "reused"],
    observe: {
        let ghost = try Ghost()
        let closed = removal(of: ghost.number, from: ghost.epoll)
        let duplicate = removal(of: ghost.duplicate.descriptor, from: ghost.epoll)
        let other = try move(try EventFD().release(), to: ghost.number.rawValue)
        let reused = removal(of: other.descriptor, from: ghost.epoll)
        try other.close()
        let events = try ghost.events()
        ghost.end()
        return ["closed": closed, "dup": duplicate, "reused": reused, "events_after": events]
    },
    judge: { .init(holds: working($0).isEmpty) },
    explain: { observed in
        let working = working(observed)
        return working.isEmpty
            ? "Every EPOLL_CTL_DEL is refused." : "EPOLL_CTL_DEL works by \(working.joined(separator: ", "))."
    })

private func working(_ observed: Observed) -> [String] { ["closed", "dup", "reused"].filter { observed[$0] == "ok" } }
