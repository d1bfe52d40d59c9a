import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import SystemPackage

/// Whether a generation can be exhausted, and how long one of 32 bits lasts at two rates.
///
/// With 16 bits there is time to try it: a ghost holds generation 0 of its number, and the number is registered and
/// removed 2^16 times with the next generation each. `passed` counts those of ten waits that then report the ghost,
/// with a generation that is the live one again, while the live descriptor has nothing to report.
///
/// The rates are those of a loop that removes and adds one descriptor (`per_second`), and of a server that accepts,
/// adds and closes connections, each under the same number, which is the worst case (`server_per_second`), for a fifth
/// of a second each; `hours` and `server_hours` are the times after which 2^32 generations would be exhausted.
///
/// The source does not say how soon, so the hours are reported and not judged.
let lifeGenerationExhaustion = Experiment(
    id: "life-generation-exhaustion",
    statement: "a 32-bit generation may in the end be exhausted", source: .l,
    keys: ["per_second", "hours", "server_per_second", "server_hours", "passed"],
    observe: {
        let passed = try ghostsPassed()
        let fullSpeed = try fullSpeedRate()
        let server = try serverRate()
        return [
            "per_second": Int(fullSpeed), "hours": hours(at: fullSpeed),
            "server_per_second": Int(server), "server_hours": hours(at: server), "passed": passed,
        ]
    },
    judge: { observed in
        guard observed["passed"].number > 0 else { return .doesNotHold }
        // Without a rate it is never exhausted.
        return .init(parts: ["per_second", "server_per_second"].map { observed[$0].number > 0 })
    },
    explain: {
        "After 2^16 lives of its number a ghost \($0["passed"] == 0 ? "fails" : "passes") for the live one of 16 bits. "
            + "One of 32 lasts \($0["hours"]) hours at \($0["per_second"]) registrations a second, "
            + "\($0["server_hours"]) at a server's \($0["server_per_second"]) connections."
    })

private let window: UInt64 = 200_000_000

private func hours(at perSecond: Double) -> Double {
    (4_294_967_296 / perSecond / 36).rounded() / 100
}

/// How many of ten waits report a ghost under the live generation, after as many lives of its number as 16 bits count.
private func ghostsPassed() throws -> Int {
    let ghost = try Ghost(token: 0)
    let counter = try move(try EventFD().release(), to: ghost.number.rawValue)
    var generation: UInt16 = 0
    repeat {
        generation &+= 1
        try ghost.epoll.add(counter.descriptor, .readable, token: UInt64(generation))
        if generation != 0 { try ghost.epoll.remove(counter.descriptor) }
    } while generation != 0
    let passed = try ghost.epoll.eventfulWaits(token: UInt64(generation))
    ghost.end()
    try counter.close()
    return passed
}

/// How often a second `cycle`, which makes so many registrations, registers a number.
private func registrationRate(_ registrations: Int, _ cycle: () throws -> Void) throws -> Double {
    let start = monotonicNanoseconds()
    var (count, elapsed): (Int, UInt64) = (0, 0)
    while elapsed < window {
        try cycle()
        count += registrations
        elapsed = monotonicNanoseconds() - start
    }
    return Double(count) * 1e9 / Double(elapsed)
}

private func fullSpeedRate() throws -> Double {
    let epoll = try Epoll()
    let counter = try EventFD()
    try epoll.add(counter.descriptor, .readable, token: 0)
    var generation: UInt64 = 0
    return try registrationRate(256) {
        for _ in 0..<256 {
            generation += 1
            try epoll.remove(counter.descriptor)
            try epoll.add(counter.descriptor, .readable, token: generation)
        }
    }
}

/// Client and server are one thread, so that the rate is that of both.
private func serverRate() throws -> Double {
    let listener = try ScriptListener()
    let epoll = try Epoll()
    var generation: UInt64 = 0
    let rate = try registrationRate(1) {
        let ends = try listener.pair()
        generation += 1
        try epoll.add(ends.server.descriptor, .readable, token: generation)
        ends.end()
    }
    listener.end()
    return rate
}
