import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import SystemPackage

/// Whether a generation can be used up, and how long one of 32 bits lasts at two rates.
///
/// 1. The same with 16 bits, for which there is time: a ghost holds generation 0 of its number, and the number is
///    registered and removed 2^16 times with the next generation each. `passed` counts those of ten waits that then
///    report the ghost, with a generation that is the live one again, while the live descriptor has nothing to report.
/// 2. Full speed: one descriptor is removed and added again for a fifth of a second, each time with the next
///    generation, as by a program that does nothing else (`per_second`).
/// 3. A server's: for as long, a client connects, and the server accepts, adds and closes the connection. Every one
///    gets the same number, which is the worst case (`server_per_second`).
/// 4. `hours` and `server_hours` are the times after which 2^32 lives would be used up.
///
/// Nobody said how soon, so that the hours are told and not judged.
extension Experiment {
    static let lifeGenerationExhaustion = Experiment(
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
            guard (observed.integer("passed") ?? 0) > 0 else { return .doesNotHold }
            // It takes a rate to get there.
            let getsThere = ["per_second", "server_per_second"].map { (observed.number($0) ?? 0) > 0 }
            return getsThere.allSatisfy { $0 } ? .holds : getsThere.contains(true) ? .depends : .doesNotHold
        },
        explain: { observed in
            "After 2^16 lives of its number a ghost \(observed["passed"] == "0" ? "fails" : "passes") for the live one "
                + "of 16 bits. One of 32 lasts \(observed["hours"] ?? "") hours at "
                + "\(observed["per_second"] ?? "") registrations a second, \(observed["server_hours"] ?? "") at a "
                + "server's \(observed["server_per_second"] ?? "") connections."
        })
}

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

private func fullSpeedRate() throws -> Double {
    let epoll = try Epoll()
    let counter = try EventFD()
    try epoll.add(counter.descriptor, .readable, token: 0)
    var generation: UInt64 = 0
    let start = monotonicNanoseconds()
    var elapsed: UInt64 = 0
    while elapsed < window {
        for _ in 0..<256 {
            generation += 1
            try epoll.remove(counter.descriptor)
            try epoll.add(counter.descriptor, .readable, token: generation)
        }
        elapsed = monotonicNanoseconds() - start
    }
    return Double(generation) * 1e9 / Double(elapsed)
}

/// Client and server are one thread, so that the rate is that of both.
private func serverRate() throws -> Double {
    let listener = try ScriptListener()
    let epoll = try Epoll()
    var generation: UInt64 = 0
    let start = monotonicNanoseconds()
    var elapsed: UInt64 = 0
    while elapsed < window {
        let ends = try listener.pair()
        generation += 1
        try epoll.add(ends.server.descriptor, .readable, token: generation)
        ends.end()
        elapsed = monotonicNanoseconds() - start
    }
    listener.end()
    return Double(generation) * 1e9 / Double(elapsed)
}
