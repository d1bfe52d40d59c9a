import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// The five remedies that are said not to work, each tried in the fork scenario.
///
/// - ignore: the parent waits on and drops what it cannot place.
/// - remove: the parent calls EPOLL_CTL_DEL with the number that the event names.
/// - child\_close: the child closes its copy of the socket, once after it has connected and once before.
/// - child\_close\_epoll: the child closes its copy of the set.
/// - handle\_before\_fork: the parent takes the socket out of the set before the fork and puts it back after it: once
///   at once, and once when the child has closed its copy.
///
/// A remedy cures if no wait reports the old socket any more, fails if some do, and is racy if that hangs on who is
/// first.
extension Experiment {
    static let lifeForkRemedies = Experiment(
        id: "life-fork-remedies",
        statement: "ignoring, removing, closing in the child, or preparing before the fork: none of it helps",
        source: .l, keys: remedies,
        observe: {
            var observed = Observed()
            try lateRemedies(&observed)
            observed["child_close"] = try closingInChild(observed["child_close"])
            observed["handle_before_fork"] = try handlingBeforeFork()
            let reasons = remedies.compactMap { remedy in
                observed[remedy].flatMap { reason[remedy]?[$0] }.map { "\(remedy): \($0)" }
            }
            var ordered = Observed(detail: reasons.joined(separator: "; "))
            for remedy in remedies { ordered[remedy] = observed[remedy] }
            return ordered
        },
        judge: { observed in
            let cures = remedies.filter { observed[$0] == "cures" }
            return cures.isEmpty ? .holds : cures.count == remedies.count ? .doesNotHold : .depends
        },
        explain: { observed in
            let cures = remedies.filter { observed[$0] == "cures" }
            return cures.isEmpty ? "None of the five cures." : "Cured by: \(cures.joined(separator: ", "))."
        })
}

private let remedies = ["ignore", "remove", "child_close", "child_close_epoll", "handle_before_fork"]

/// Remedies that are tried one after the other on one ghost; the one that may end it is last.
private func lateRemedies(_ observed: inout Observed) throws {
    var scene = try ForkScene()
    try scene.oldSocketConnects()
    observed["ignore"] = try scene.ghosts(in: 100) > 0 && scene.ghosts() > 0 ? "fails" : "cures"
    // This names the new socket, if it names anything.
    _ = outcome { () throws(Errno) in try scene.epoll.remove(scene.newSocket.descriptor) }
    observed["remove"] = try scene.ghosts() > 0 ? "fails" : "cures"
    try scene.child.close(ForkScene.set)
    observed["child_close_epoll"] = try scene.ghosts() > 0 ? "fails" : "cures"
    let before = try scene.ghosts()
    try scene.child.close(ForkScene.socket)
    let after = try scene.ghosts()
    observed["child_close"] = after > 0 ? "fails" : before > 0 ? "late" : "cures"
    scene.end()
}

/// The child closes the socket before it connects. `late` says what closing it afterwards did.
private func closingInChild(_ late: String?) throws -> String {
    if late == "fails" { return "fails" }
    let scene = try ForkScene()
    try scene.child.close(ForkScene.socket)
    let ghosts = try scene.ghosts()
    scene.end()
    if ghosts > 0 { return "fails" }
    return late == "late" ? "racy" : "cures"
}

private func handlingBeforeFork() throws -> String {
    var atOnce = try ForkScene(
        prepare: { (epoll, number) throws(Errno) in try epoll.remove(number) },
        resume: { epoll, number, _ in try epoll.add(number, .writable, token: ForkScene.oldToken) })
    try atOnce.oldSocketConnects()
    let ghostsAtOnce = try atOnce.ghosts()
    atOnce.end()
    let late = try ForkScene(
        prepare: { (epoll, number) throws(Errno) in try epoll.remove(number) },
        resume: { epoll, number, child in
            try child.close(ForkScene.socket)
            try epoll.add(number, .writable, token: ForkScene.oldToken)
        })
    // Nobody has the old socket any more, so it does not connect.
    let ghostsLate = try late.ghosts()
    late.end()
    return switch (ghostsAtOnce > 0, ghostsLate > 0) {
    case (true, true): "fails"
    case (false, false): "cures"
    default: "racy"
    }
}

/// Why, for each outcome that has been seen to need a reason.
private let reason: [String: [String: String]] = [
    "ignore": ["fails": "level-triggered, the event comes back with every wait"],
    "remove": ["fails": "the number names the new socket, whose registration goes instead of the old one's"],
    "child_close": [
        "racy": "it ends the ghost, but only if and when the child comes to it; until then the parent is told",
        "fails": "the registration outlives the child's copy",
    ],
    "child_close_epoll": ["fails": "the set and its registrations belong to the open file description, which lives on"],
    "handle_before_fork": [
        "fails": "what is put back after the fork is the description that the child now holds too",
        "racy": "what is put back at once is the description that the child now holds too; put back when the child has "
            + "closed its copy it leaves no ghost, but the parent is deaf until then and cannot know when it is",
    ],
]
