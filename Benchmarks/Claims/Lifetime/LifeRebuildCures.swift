import LinuxDescriptors
import LinuxReadiness

/// The set is closed and a new one is made of what is still open, under new tokens: a counter that is ready, and the
/// duplicate that keeps the ghost's description alive. Ten waits each count the events with the ghost's token and with
/// the new ones (`live_events`, `duplicate_events`).
let lifeRebuildCures = Experiment(
    id: "life-rebuild-cures", statement: "a new set has no ghosts of the old one", source: .m2,
    keys: ["events_after", "live_events"],
    observe: {
        let ghost = try Ghost()
        let counter = try EventFD(count: 1)
        try ghost.epoll.add(counter.descriptor, .readable, token: 2)
        let (before, liveBefore) = (try ghost.events(), try ghost.epoll.eventfulWaits(token: 2))
        guard liveBefore > 0 else { throw ScriptError("the old set does not report a counter that is ready") }
        guard before > 0 else { throw Unobservable("there is no ghost on this kernel") }
        let duplicate = try ghost.duplicate.duplicate()
        ghost.end()
        let epoll = try Epoll()
        try epoll.add(counter.descriptor, .readable, token: 3)
        try epoll.add(duplicate.descriptor, .readable, token: 4)
        let after = try [Ghost.token, 3, 4].map { try epoll.eventfulWaits(token: $0) }
        try duplicate.close()
        try counter.close()
        return [
            "events_after": after[0], "live_events": after[1], "duplicate_events": after[2],
            "events_before": before,
        ]
    },
    // A set that reports nothing at all is no cure.
    judge: { $0["live_events"].number > 0 ? ghostIsGone($0) : .doesNotHold },
    explain: { ghostFinding("the set was made anew")($0).dropLast() + ", \($0["live_events"]) a live one." })
