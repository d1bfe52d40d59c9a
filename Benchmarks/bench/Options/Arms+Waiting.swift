import Loops
import Meters

extension RunOptions {
    /// How the loops are to wait, as far as the options say.
    func waitSettings() throws -> Mode.WaitSettings {
        var settings = Mode.WaitSettings()
        settings.spinNanoseconds = try network.spin.map { try shortTime($0, "--spin") }
        settings.waitLimitNanoseconds = try network.waitLimit.map { try shortTime($0, "--wait-limit") }
        settings.minimumWaitNanoseconds = try network.minWait.map { try shortTime($0, "--min-wait") }
        if let least = settings.minimumWaitNanoseconds, least % 1000 != 0 {
            throw Failure(.usage, "--min-wait takes whole microseconds, such as 50us, not '\(network.minWait ?? "")'")
        }
        settings.pollerIdleNanoseconds = try network.pollerIdle.map { try pollerIdle($0) }
        settings.pollerProcessor = try network.pollerCpu.map { try pollerProcessor($0) }
        let times = [network.waitLimit.map { _ in "--wait-limit" }, network.minWait.map { _ in "--min-wait" }]
        guard let count = network.waitFor else {
            guard let time = times.compactMap({ $0 }).first else { return settings }
            throw Failure(.usage, "\(time) is a time of --wait-for; give --wait-for N too")
        }
        // Every ring has room for more.
        settings.waitFor = UInt32(try inRange(count, 2...64, "--wait-for takes 2 to 64 completions"))
        guard times.contains(where: { $0 != nil }) else {
            throw Failure(
                .usage,
                "--wait-for \(count) would wait for ever when fewer come; give --wait-limit or --min-wait too")
        }
        return settings
    }

    /// What was given of the options that say what a poller is like.
    var pollerOptions: [String] { network.given.filter { $0.hasPrefix("--poller-") } }

    private func pollerIdle(_ text: String) throws -> UInt64 {
        let time = try bench.duration(text, "--poller-idle")
        guard time % 1_000_000 == 0, time <= 3_600_000_000_000 else {
            throw Failure(.usage, "--poller-idle takes whole milliseconds up to an hour, such as 1ms, not '\(text)'")
        }
        return time
    }

    private func pollerProcessor(_ number: Int) throws -> UInt32 {
        let available = Affinity.available()
        guard available.contains(number) else {
            let list = available.map(String.init).joined(separator: ", ")
            throw Failure(
                .usage, "--poller-cpu takes one of the processors that are on and allowed here (\(list)), not \(number)"
            )
        }
        return UInt32(number)
    }

    private func shortTime(_ text: String, _ option: String) throws -> UInt64 {
        let time = try bench.duration(text, option)
        guard time <= 1_000_000_000 else {
            throw Failure(.usage, "\(option) takes a second at the most, such as 50us, not '\(text)'")
        }
        return time
    }
}
