import LinuxReadiness
import Meters

/// How long a 32-bit generation lasts: one descriptor is removed and added again for a fifth of a second, each time with
/// the next generation. `hours` is the time after which 2^32 of them would be used up, by a program that does nothing else.
extension Experiment {
    static let lifeGenerationExhaustion = Experiment(
        id: "life-generation-exhaustion",
        statement: "a 32-bit generation may in the end be exhausted: at full speed, within a year",
        source: .l, keys: ["per_second", "hours"],
        observe: {
            let epoll = try Epoll()
            let counter = try EventFD()
            try epoll.add(counter.descriptor, .readable, token: 0)
            var generation: UInt64 = 0
            let start = monotonicNanoseconds()
            var elapsed: UInt64 = 0
            while elapsed < 200_000_000 {
                for _ in 0..<256 {
                    generation += 1
                    try epoll.remove(counter.descriptor)
                    try epoll.add(counter.descriptor, .readable, token: generation)
                }
                elapsed = monotonicNanoseconds() - start
            }
            let perSecond = Double(generation) * 1e9 / Double(elapsed)
            let hours = 4_294_967_296 / perSecond / 3600
            return ["per_second": Int(perSecond), "hours": (hours * 100).rounded() / 100]
        },
        judge: { ($0.number("hours") ?? .infinity) < 365 * 24 ? .holds : .doesNotHold },
        explain: { "At \($0["per_second"] ?? "") registrations a second it lasts \($0["hours"] ?? "") hours." })
}
