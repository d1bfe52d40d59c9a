/// When the peer learns that a connection in a slot of the ring's own file table was closed.
///
/// Before Linux 6.4 the kernel releases a slot's file only a second after its last use (delayed work in
/// `io_uring/rsrc.c`; 6.2 and 6.3 are quicker for rings with one submitter).
///
/// A client connects into a slot, and the slot is closed through the ring. When that has completed, a connection with
/// a descriptor is closed too, and its peer reads the end of the stream: so the machine is not what delays it. The
/// close is late if the first client reads nothing for 300 ms more, and in time if it reads the end within 600 ms of
/// the close in all. Between the two the thread did not run, and the round does not count.
///
/// Three rounds that count, of nine at the most. `fin_ms` is the longest time that a client waited.
let ringDirectCloseDelay = Experiment(
    id: "uring-direct-close-delay",
    statement: "a direct descriptor that is closed through the ring keeps its connection open for about a second",
    source: .observation, needs: [.multishotAccept],
    // Each round checks the machine itself, so only rounds that differ leave a doubt.
    conditions: Conditions(
        isDecisive: { $0["closes"].number == Double(rounds) && [0, $0["closes"]].contains($0["late"]) },
        shortfall: { Conditions.fewer($0, "closes", than: rounds, "closes with their end") }),
    keys: ["closes", "late"],
    observe: {
        var scene = try DirectScene()
        var (closes, late, longest): (Int, Int, UInt64) = (0, 0, 0)
        for _ in 1...9 where closes < rounds {
            guard let wait = try scene.closeOne() else { continue }
            closes += 1
            if wait.isLate { late += 1 }
            longest = max(longest, wait.nanoseconds)
        }
        scene.end()
        return ["closes": closes, "late": late, "fin_ms": longest / 1_000_000]
    },
    judge: { $0["late"] == 0 ? .doesNotHold : $0["late"] == $0["closes"] ? .holds : .depends },
    explain: {
        "\($0["late"]) of \($0["closes"]) closes reached the peer late"
            + ($0["fin_ms"] == .absent ? "." : ", at the most after \($0["fin_ms"]) ms.")
    })

private let rounds = 3
