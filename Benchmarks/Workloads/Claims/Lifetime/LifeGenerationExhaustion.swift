import LinuxReadiness
import LinuxSockets
import Meters
import SystemPackage

/// How long a 32-bit generation lasts, at two rates.
///
/// 1. Full speed: one descriptor is removed and added again for a fifth of a second, each time with the next
///    generation, as by a program that does nothing else (`per_second`).
/// 2. A server's: for as long, a client connects, and the server accepts, adds and closes the connection. Every one
///    gets the same number, which is the worst case (`server_per_second`).
/// 3. `hours` and `server_hours` are the times after which 2^32 lives would be used up.
///
/// A day is what it is judged by: less, and no server may rely on it; more, and one that is busy around the clock still
/// gets there between two restarts, but only if one number is used for everything.
extension Experiment {
    static let lifeGenerationExhaustion = Experiment(
        id: "life-generation-exhaustion",
        statement: "a 32-bit generation may in the end be exhausted: within a day, at full speed and by a server",
        source: .l, keys: ["per_second", "hours", "server_per_second", "server_hours"],
        observe: {
            let fullSpeed = try fullSpeedRate()
            let server = try serverRate()
            return [
                "per_second": Int(fullSpeed), "hours": hours(at: fullSpeed),
                "server_per_second": Int(server), "server_hours": hours(at: server),
            ]
        },
        judge: { observed in
            let isShort = ["hours", "server_hours"].map { (observed.number($0) ?? .infinity) < 24 }
            return isShort.allSatisfy { $0 } ? .holds : isShort.contains(true) ? .depends : .doesNotHold
        },
        explain: { observed in
            "At \(observed["per_second"] ?? "") registrations a second it lasts \(observed["hours"] ?? "") hours, at a "
                + "server's \(observed["server_per_second"] ?? "") connections \(observed["server_hours"] ?? "")."
        })
}

private let window: UInt64 = 200_000_000

private func hours(at perSecond: Double) -> Double {
    (4_294_967_296 / perSecond / 36).rounded() / 100
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
