import Glibc
import LinuxDescriptors

/// The same situations with `poll(2)`.
///
/// 1. The fork scenario: the old socket is connected and lives in the child; its number, which is polled for writing,
///    names a new socket that is connecting (`revents`).
/// 2. A pipe with a byte in it, its read end duplicated and closed; the closed number is polled (`closed_revents`).
let lifePollClosed = Experiment(
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
    judge: { .init(parts: [$0["revents"] == "none", $0["closed_revents"] == "POLLNVAL"]) },
    explain: {
        "poll reports \($0["revents"]) for the number that a connecting socket took over, and "
            + "\($0["closed_revents"]) for a closed one whose description lives on."
    })
