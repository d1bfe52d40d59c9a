import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// A generation counted with each number tells ghosts from events.
///
/// A hundred times: a pipe is registered under a number with generation g, duplicated, closed; another pipe takes the
/// number and is registered with generation g + 1. The old pipe gets a byte, and every second time the new one too. An
/// event beyond what the new pipe's own state explains is a ghost; one whose generation is not the live one is
/// detected. `mistaken` counts the new pipe's bytes for which no event carried the live generation: a program that
/// relies on it would have missed them.
let lifeGenerationDetects = Experiment(
    id: "life-generation-detects", statement: "a generation stored with each registration tells ghosts from events",
    source: .l, keys: ["ghosts", "detected", "mistaken"],
    observe: {
        var (ghosts, detected, mistaken) = (0, 0, 0)
        for round in 0..<100 {
            let ghost = try Ghost(token: UInt64(round) << 32)
            let new = try Pipe()
            let reader = try move(try new.readEnd.duplicate(), to: ghost.number.rawValue)
            let live = UInt64(round + 1) << 32
            try ghost.epoll.add(reader.descriptor, .readable, token: live)
            let hasByte = round % 2 == 0
            if hasByte { try new.writeByte() }

            let events = EpollEventBuffer(capacity: 4)
            let count = try ghost.epoll.wait(into: events, timeout: .zero)
            ghosts += count - (hasByte ? 1 : 0)
            for index in 0..<count where events[index].token != live { detected += 1 }
            if hasByte && !(0..<count).contains(where: { events[$0].token == live }) { mistaken += 1 }
            try reader.close()
            new.end()
            ghost.end()
        }
        return ["ghosts": ghosts, "detected": detected, "mistaken": mistaken]
    },
    judge: { observed in
        let (ghosts, detected) = (observed["ghosts"].number, observed["detected"].number)
        guard ghosts > 0 && detected > 0 else { return .doesNotHold }
        return detected == ghosts && observed["mistaken"] == 0 ? .holds : .depends
    },
    explain: {
        "\($0["detected"]) of \($0["ghosts"]) ghosts carry an old generation; \($0["mistaken"]) live events do not "
            + "carry the live one."
    })
