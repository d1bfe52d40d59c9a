import Glibc
import LinuxDescriptors
import SystemPackage

/// The same situations put to `poll(2)`.
///
/// 1. The fork scenario: the old socket is connected and lives in the child; its number, which is polled for writing,
///    names a new socket that is connecting (`revents`).
/// 2. A pipe with a byte in it, its read end duplicated and closed; the closed number is polled (`closed_revents`).
extension Experiment {
    static let lifePollClosed = Experiment(
        id: "life-poll-closed",
        statement: "poll keeps no registration: of a number used again it tells nothing old, of a closed one POLLNVAL",
        source: .manual("poll(2)"), keys: ["revents", "closed_revents"],
        observe: {
            var scene = try ForkScene()
            try scene.oldSocketConnects()
            let reused = polled(scene.newSocket.descriptor, POLLOUT)
            scene.end()
            let ghost = try Ghost()
            let closed = polled(ghost.number, POLLIN)
            ghost.end()
            return ["revents": reused, "closed_revents": closed]
        },
        judge: { observed in
            let agrees = [observed["revents"] == "none", observed["closed_revents"] == "POLLNVAL"]
            return agrees.allSatisfy { $0 } ? .holds : agrees.contains(true) ? .depends : .doesNotHold
        },
        explain: { observed in
            "poll reports \(observed["revents"] ?? "") for the number that a connecting socket took over, and "
                + "\(observed["closed_revents"] ?? "") for a closed one whose description lives on."
        })
}

private func polled(_ descriptor: BorrowedDescriptor, _ events: CInt) -> String {
    var entry = pollfd(fd: descriptor.rawValue, events: Int16(events), revents: 0)
    _ = unsafe poll(&entry, 1, 0)
    return pollNames(entry.revents)
}

/// The names of what `poll(2)` reported, joined by `+`; `none` for nothing.
func pollNames(_ revents: Int16) -> String {
    let names: [(CInt, String)] = [
        (POLLIN, "POLLIN"), (POLLPRI, "POLLPRI"), (POLLOUT, "POLLOUT"), (POLLERR, "POLLERR"), (POLLHUP, "POLLHUP"),
        (POLLNVAL, "POLLNVAL"),
    ]
    let set = names.filter { CInt(revents) & $0.0 != 0 }.map(\.1)
    return set.isEmpty ? "none" : set.joined(separator: "+")
}
