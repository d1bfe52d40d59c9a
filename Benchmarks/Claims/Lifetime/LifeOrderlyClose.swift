import LinuxDescriptors
import LinuxReadiness

/// EPOLL_CTL_DEL, then close, while a duplicate of the pipe's read end lives; then ten waits.
let lifeRemoveBeforeClose = Experiment(
    id: "life-remove-before-close", statement: "EPOLL_CTL_DEL before close leaves no ghost", source: .m2,
    keys: ["events_after"],
    observe: { try closeRegistered(whileDuplicated: true) },
    judge: ghostIsGone, explain: ghostFinding("EPOLL_CTL_DEL and close"))

/// The same with close alone, and no other reference to the open file description.
let lifeLastCloseRemoves = Experiment(
    id: "life-last-close-removes",
    statement: "closing the last reference to the open file description ends the registration", source: .m2,
    keys: ["events_after"],
    observe: { try closeRegistered(whileDuplicated: false) },
    judge: ghostIsGone, explain: ghostFinding("the last reference was closed"))

private func closeRegistered(whileDuplicated isDuplicated: Bool) throws -> Observed {
    let epoll = try Epoll()
    let pipe = try Pipe.withByte()
    let number = pipe.readEnd.descriptor
    try epoll.add(number, .readable, token: 0)
    let duplicate = isDuplicated ? Shared(try number.duplicate()) : nil
    if isDuplicated { try epoll.remove(number) }
    let writeEnd = try pipe.closeReadEnd()
    let events = try epoll.eventfulWaits()
    withExtendedLifetime(duplicate) {}
    try writeEnd.close()
    return ["events_after": events]
}
