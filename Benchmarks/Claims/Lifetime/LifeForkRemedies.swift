import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// The five remedies that are said not to work, each tried in the fork scenario.
///
/// - ignore: the parent waits on and drops events that it cannot attribute.
/// - remove: the parent calls EPOLL_CTL_DEL with the number that the event names.
/// - child\_close: the child closes its copy of the socket, once after it has connected and once before.
/// - child\_close\_epoll: the child closes its copy of the set.
/// - handle\_before\_fork: the parent takes the socket out of the set before the fork and puts it back after it: once
///   at once, and once when the child has closed its copy.
///
/// A remedy cures if no wait reports the old socket any more, fails if some do, and is racy if that depends on which
/// process is first.
let lifeForkRemedies = Experiment(
    id: "life-fork-remedies",
    statement: "ignoring, removing, closing in the child, or preparing before the fork: none of it helps",
    source: .l, keys: remedies,
    observe: {
        var scene = try ForkScene()
        try scene.oldSocketConnects()
        let ignore = Effect(fails: try scene.ghosts(in: 100) > 0 && scene.ghosts() > 0)
        // This names the new socket, if it names anything.
        _ = removal(of: scene.newSocket.descriptor, from: scene.epoll)
        let remove = Effect(fails: try scene.ghosts() > 0)
        try scene.child.close(ForkScene.set)
        let closeSet = Effect(fails: try scene.ghosts() > 0)
        // The remedy that may end the ghost is the last one that is tried on it.
        let close = try closingInChild(&scene)
        scene.end()
        let effects = [ignore, remove, close, closeSet, try handlingBeforeFork()]

        let reasons = zip(remedies, effects).compactMap { remedy, effect in
            reason[remedy]?[effect].map { "\(remedy): \($0)" }
        }
        var observed = Observed(detail: reasons.joined(separator: "; "))
        for (remedy, effect) in zip(remedies, effects) { observed[remedy] = effect.rawValue.observed }
        return observed
    },
    judge: { observed in
        let cures = cures(observed).count
        return cures == 0 ? .holds : cures == remedies.count ? .doesNotHold : .depends
    },
    explain: { observed in
        let cures = cures(observed)
        return cures.isEmpty ? "None of the five cures." : "Cured by: \(cures.joined(separator: ", "))."
    })

private let remedies = ["ignore", "remove", "child_close", "child_close_epoll", "handle_before_fork"]

private func cures(_ observed: Observed) -> [String] { remedies.filter { observed[$0] == "cures" } }

private enum Effect: String {
    case cures, fails, racy

    init(fails: Bool) { self = fails ? .fails : .cures }

    /// The effect of a remedy that depends on which process is first.
    init(fails first: Bool, _ second: Bool) { self = first == second ? Effect(fails: first) : .racy }
}

/// The child closes the socket after it has connected; then, in another scene, before.
private func closingInChild(_ scene: inout ForkScene) throws -> Effect {
    let ghostsBefore = try scene.ghosts()
    try scene.child.close(ForkScene.socket)
    if try scene.ghosts() > 0 { return .fails }
    let early = try ForkScene()
    try early.child.close(ForkScene.socket)
    let ghosts = try early.ghosts()
    early.end()
    return ghosts > 0 ? .fails : ghostsBefore > 0 ? .racy : .cures
}

private func handlingBeforeFork() throws -> Effect {
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
    // No process has the old socket any more, so it does not connect.
    let ghostsLate = try late.ghosts()
    late.end()
    return Effect(fails: ghostsAtOnce > 0, ghostsLate > 0)
}

private let reason: [String: [Effect: String]] = [
    "ignore": [.fails: "level-triggered, the event comes back with every wait"],
    "remove": [.fails: "the number names the new socket, whose registration goes instead of the old one's"],
    "child_close": [
        .racy: "it ends the ghost, but only if and when the child comes to it; until then the parent is told",
        .fails: "the registration outlives the child's copy",
    ],
    "child_close_epoll": [.fails: "the set and its registrations belong to the open file description, which lives on"],
    "handle_before_fork": [
        .fails: "what is put back after the fork is the description that the child now holds too",
        .racy: "what is put back at once is the description that the child now holds too; put back when the child has "
            + "closed its copy it leaves no ghost, but the parent is deaf until then and cannot know when it is",
    ],
]
