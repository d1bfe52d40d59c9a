import Glibc
import SystemPackage

/// The same situation put to `poll(2)`: a pipe with a byte in it, its read end duplicated and closed; then the closed
/// number is polled.
extension Experiment {
    static let lifePollClosed = Experiment(
        id: "life-poll-closed", statement: "poll keeps no registration, so of a closed number it says POLLNVAL",
        source: .manual("poll(2)"), keys: ["revents"],
        observe: {
            let ghost = try Ghost()
            var entry = pollfd(fd: ghost.number.rawValue, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&entry, 1, 0)
            ghost.end()
            return ["revents": pollNames(entry.revents)]
        },
        judge: { $0["revents"] == "POLLNVAL" ? .holds : .doesNotHold },
        explain: { "poll reports \($0["revents"] ?? "") for a closed number whose description lives on." })
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
