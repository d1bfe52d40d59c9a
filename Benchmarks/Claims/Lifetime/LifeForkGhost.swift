import LinuxReadiness
import Meters

/// The fork scenario to its end: for a fifth of a second the parent waits and ignores events that it cannot attribute,
/// as a naive program would.
///
/// `ghosts` counts events of the socket that the parent has closed, `real` those of the new one, which is not connected
/// yet.
let lifeForkGhost = Experiment(
    id: "life-fork-ghost",
    statement: "a socket that a child keeps open goes on making events for the parent that closed it, which spins",
    source: .l, keys: ["ghosts", "real", "cpu_percent"],
    observe: {
        var scene = try ForkScene()
        try scene.oldSocketConnects()
        let events = EpollEventBuffer(capacity: 8)
        var (ghosts, real) = (0, 0)
        let start = (wall: monotonicNanoseconds(), thread: threadNanoseconds())
        var waits = 0
        while waits < 10 || monotonicNanoseconds() - start.wall < 200_000_000 {
            waits += 1
            let count = try scene.epoll.wait(into: events, timeout: .milliseconds(10))
            for index in 0..<count {
                if events[index].token == ForkScene.oldToken { ghosts += 1 } else { real += 1 }
            }
        }
        let busy = Double(threadNanoseconds() - start.thread) / Double(monotonicNanoseconds() - start.wall)
        scene.end()
        return ["ghosts": ghosts, "real": real, "cpu_percent": Int((busy * 100).rounded())]
    },
    judge: { .init(holds: $0["ghosts"].number > 0) },
    explain: {
        "The closed socket made \($0["ghosts"]) events in 0.2 s, the open one \($0["real"]), at \($0["cpu_percent"]) % "
            + "of a processor."
    })
