/// Whether a pending request on one slot of the ring's file table delays the close of another.
///
/// Until some release after 6.12 the kernel releases files in the order of the closes and requests: a pending request
/// on one slot delays the later closes of all others.
///
/// Two clients connect into slots; on the first slot a receive is pending, and the second is closed. Does its client
/// read the end of the stream within 2.5 s, which is more than the delay of `uring-direct-close-delay` (`fin_before`),
/// or within 10 s of cancelling the receive (`fin_after`)?
let ringDirectCloseOrder = Experiment(
    id: "uring-direct-close-order",
    statement: "a direct descriptor that is closed keeps its connection open while an older request on another "
        + "slot is pending",
    source: .observation, needs: [.multishotAccept],
    conditions: Conditions(
        heldUpLimit: 60, isDecisive: { $0["fin_before"] == true },
        shortfall: {
            $0["fin_after"] == true
                ? nil : "the end of the stream did not come within 10 s of the cancellation"
        }),
    keys: ["fin_before", "fin_after"],
    observe: {
        var scene = try DirectScene()
        let (before, after) = try scene.closeBehindReceive()
        scene.end()
        return ["fin_before": before, "fin_after": after]
    },
    judge: { .init(holds: $0["fin_before"] == false) },
    explain: {
        $0["fin_before"] == true
            ? "The peer reads the end of the stream at once, whatever is pending on other slots."
            : "The peer waits until the older receive on another slot is cancelled."
    })
