import Glibc
import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// What ends a registration: each tried on a pipe that holds a byte, then ten waits.
extension Experiment {
    /// The set is closed and a new one is made of what is still open.
    ///
    /// 1. Beside a ghost the old set watches a counter that is ready.
    /// 2. The old set reports both; it is closed.
    /// 3. The counter and the duplicate that keeps the ghost's description alive, ready too, are put into a new set
    ///    under new tokens.
    /// 4. Ten waits each count what carries the ghost's token, and what carries the new ones (`live_events`,
    ///    `duplicate_events`).
    static let lifeRebuildCures = Experiment(
        id: "life-rebuild-cures", statement: "a new set has no ghosts of the old one", source: .m2,
        keys: ["events_after", "live_events"],
        observe: {
            let ghost = try Ghost()
            let counter = try EventFD(count: 1)
            try ghost.epoll.add(counter.descriptor, .readable, token: 2)
            let before = try (ghost: ghost.events(), live: ghost.epoll.eventfulWaits(token: 2))
            guard before.live > 0 else { throw ScriptError("the old set does not report a counter that is ready") }
            guard before.ghost > 0 else { throw Unobservable("there is no ghost on this kernel") }
            let remains = try ghost.closeSet()
            let epoll = try Epoll()
            try epoll.add(counter.descriptor, .readable, token: 3)
            try epoll.add(remains.duplicate.descriptor, .readable, token: 4)
            let after = try epoll.eventfulWaits(token: Ghost.token)
            let live = try epoll.eventfulWaits(token: 3)
            let duplicate = try epoll.eventfulWaits(token: 4)
            remains.end()
            try counter.close()
            return [
                "events_after": after, "live_events": live, "duplicate_events": duplicate,
                "events_before": before.ghost,
            ]
        },
        // A set that reports nothing at all cures nobody.
        judge: { ($0.integer("live_events") ?? 0) > 0 ? ghostIsGone($0) : .doesNotHold },
        explain: { observed in
            ghostFinding("the set was made anew")(observed).dropLast()
                + ", \(observed["live_events"] ?? "") a live one."
        })

    /// EPOLL_CTL_DEL, then close, while a duplicate lives.
    static let lifeRemoveBeforeClose = Experiment(
        id: "life-remove-before-close", statement: "EPOLL_CTL_DEL before close leaves no ghost", source: .m2,
        keys: ["events_after"],
        observe: {
            let epoll = try Epoll()
            let pipe = try Pipe()
            try pipe.writeByte()
            try epoll.add(pipe.readEnd.descriptor, .readable, token: 0)
            let duplicate = try pipe.readEnd.duplicate()
            try epoll.remove(pipe.readEnd.descriptor)
            let writeEnd = try pipe.closeReadEnd()
            let events = try epoll.eventfulWaits()
            try duplicate.close()
            try writeEnd.close()
            return ["events_after": events]
        },
        judge: ghostIsGone, explain: ghostFinding("EPOLL_CTL_DEL and close"))

    /// close alone, with no other reference to the open file description.
    static let lifeLastCloseRemoves = Experiment(
        id: "life-last-close-removes",
        statement: "closing the last reference to the open file description ends the registration", source: .m2,
        keys: ["events_after"],
        observe: {
            let epoll = try Epoll()
            let pipe = try Pipe()
            try pipe.writeByte()
            try epoll.add(pipe.readEnd.descriptor, .readable, token: 0)
            let writeEnd = try pipe.closeReadEnd()
            let events = try epoll.eventfulWaits()
            try writeEnd.close()
            return ["events_after": events]
        },
        judge: ghostIsGone, explain: ghostFinding("the last reference was closed"))

    /// The description is brought back under the registered number by dup2(2); then EPOLL_CTL_DEL names it again.
    /// Whatever has taken the number meanwhile is kept aside and put back.
    static let lifeDup2Cure = Experiment(
        id: "life-dup2-cure", statement: "only a new set helps; here tried: dup2 of the duplicate onto the number, DEL",
        source: .m2, keys: ["events_after"],
        observe: {
            let ghost = try Ghost()
            // Another file has the number by now, and is registered too.
            let counter = try move(try EventFD(count: 1).release(), to: ghost.number.rawValue)
            try ghost.epoll.add(counter.descriptor, .readable, token: 2)
            let aside = try counter.duplicate()
            let (old, new) = (ghost.duplicate.descriptor.rawValue, counter.descriptor.rawValue)
            _ = try systemCall { dup2(old, new) }
            let removal = outcome { () throws(Errno) in try ghost.epoll.remove(counter.descriptor) }
            let kept = aside.descriptor.rawValue
            _ = try systemCall { dup2(kept, new) }
            let events = try ghost.events()
            let others = try ghost.epoll.eventfulWaits(token: 2)
            ghost.end()
            try counter.close()
            return ["events_after": events, "del": removal, "new_events": others]
        },
        judge: ghostPersists, explain: ghostFinding("dup2 back onto the number and EPOLL_CTL_DEL"))
}
