import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// The description is brought back under the registered number by dup2(2); then EPOLL_CTL_DEL names it again. The file
/// that took the number meanwhile is kept aside and put back.
let lifeDup2Cure = Experiment(
    id: "life-dup2-cure", statement: "only a new set helps; here tried: dup2 of the duplicate onto the number, DEL",
    source: .m2, keys: ["events_after"],
    observe: {
        let ghost = try Ghost()
        // Another file has the number by now, and is registered too.
        let counter = try move(try EventFD(count: 1).release(), to: ghost.number.rawValue)
        try ghost.epoll.add(counter.descriptor, .readable, token: 2)
        let removal = try removeByNumber(counter.descriptor, of: ghost.duplicate.descriptor, from: ghost.epoll)
        let events = try ghost.events()
        let others = try ghost.epoll.eventfulWaits(token: 2)
        ghost.end()
        try counter.close()
        return ["events_after": events, "del": removal, "new_events": others]
    },
    judge: ghostPersists, explain: ghostFinding("dup2 back onto the number and EPOLL_CTL_DEL"))

/// Removes an old registration by its number, which another file has now: the old description gets the number back, is
/// removed, and the other file is put back; its own registration is not touched, because its description never ended.
///
/// - Returns: the outcome of EPOLL_CTL_DEL.
func removeByNumber(
    _ number: BorrowedDescriptor, of old: BorrowedDescriptor, from epoll: borrowing Epoll
) throws(Errno) -> String {
    let aside = try number.duplicate()
    try duplicate(old, onto: number.rawValue)
    let removal = removal(of: number, from: epoll)
    try duplicate(aside.descriptor, onto: number.rawValue)
    try aside.close()
    return removal
}
