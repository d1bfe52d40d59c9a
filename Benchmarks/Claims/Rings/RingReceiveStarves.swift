import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage

/// Two connections receive many times on one ring. So much is there on the first that it takes hundreds of buffers, and one
/// byte on the second, before the ring's thread looks: how many completions of the first come before that of the second?
let ringReceiveStarves = Experiment(
    id: "uring-recv-starves",
    statement: "a multishot receive on a busy connection starves the others of its ring",
    source: .liburing("issue 1043"),
    // Otherwise the ring takes what was sent before its thread looks.
    needs: [.multishotReceive, .deferTaskRun],
    // The order is the kernel's, however late the thread looks.
    conditions: Conditions(
        isDecisive: { $0["busy_all"].number >= 256 },
        shortfall: { Conditions.fewer($0, "busy_all", than: 256, "completions") }),
    keys: ["busy_before", "busy_all"],
    observe: {
        let (bytes, buffers) = (16, 256)
        var scene = try ReceiveScene(buffers: 2 * buffers, bytes: bytes)
        let busy = try scene.pair()
        let other = try scene.pair()
        try scene.receive(busy, token: 1)
        try scene.receive(other, token: 2)
        // Both are seen to wait, so that data wakes them in the order in which it comes.
        if try scene.next(within: Patience.quietNanoseconds) != nil { throw Undecided("a receive did not wait") }
        try busy.send(bytes * buffers)
        try other.send(1)
        var (before, all, isServed) = (0, 0, false)
        while all < buffers || !isServed {
            guard let completion = try scene.next(), completion.result > 0 else { break }
            isServed = isServed || completion.token == 2
            if completion.token == 1 { all += 1 }
            if !isServed { before += 1 }
        }
        busy.end()
        other.end()
        scene.end()
        return ["busy_before": before, "busy_all": all]
    },
    judge: { .init(holds: $0["busy_before"].number >= $0["busy_all"].number) },
    explain: {
        "The other connection is served after \($0["busy_before"]) of \($0["busy_all"]) buffers of the busy one."
    })
