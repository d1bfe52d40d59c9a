import ArgumentParser
import Loops
import Meters

/// How our loops wait, of `bench run` as of `bench serve`.
struct WaitOptions: WorkloadOptions {
    static let workloads: [Workload] = [.accept, .crr, .read]
    static let title = "How our loops wait (workloads accept, crr, read)"
    static let reason: String? = "its loops wait in one way"

    @Option(
        help: """
            How long a wait looks for something to do before it blocks, such as 50us; not of blocking and the library's \
            rings and executors.
            """)
    var spin: String?

    @Option(
        parsing: .unconditional,
        help: "Of the uring modes: a wait ends with so many completions, or when --wait-limit or --min-wait says.")
    var waitFor: Int?

    @Option(help: "With --wait-for: the longest time of a wait, such as 100us.")
    var waitLimit: String?

    @Option(help: "With --wait-for: time after which one completion is enough, such as 50us; Linux 6.12.")
    var minWait: String?

    @Option(
        help: """
            Of uring-sqpoll: how long the kernel's thread looks for requests in vain before it sleeps, such as 1ms; 1s if \
            not given.
            """)
    var pollerIdle: String?

    @Option(
        parsing: .unconditional,
        help: "Of uring-sqpoll: the processor that the kernel's thread runs on; any if not given.")
    var pollerCpu: Int?
}

// MARK: What they mean

extension WaitOptions {
    /// These modes with the settings that were given.
    ///
    /// - Parameter processors: those of the server's machine that a poller may run on.
    /// - Throws: ``Failure`` for a value that has no meaning, and for one that has none for any of the modes.
    func applied(to modes: [Mode], on processors: [Int] = Affinity.available()) throws -> [Mode] {
        let settings = try settings(on: processors)
        if let option = given.first(where: { $0.hasPrefix("--poller-") }), !modes.isEmpty,
            !modes.contains(where: { $0.options.poller != nil })
        {
            throw Failure(.usage, "\(option) has a meaning for uring-sqpoll only, which is not among the modes")
        }
        return modes.map { $0.waiting(settings) }
    }

    private func settings(on processors: [Int]) throws -> Mode.WaitSettings {
        var settings = Mode.WaitSettings()
        settings.spinNanoseconds = try spin.map { try shortTime($0, "--spin") }
        settings.waitLimitNanoseconds = try waitLimit.map { try shortTime($0, "--wait-limit") }
        settings.minimumWaitNanoseconds = try minWait.map { try shortTime($0, "--min-wait") }
        if let least = settings.minimumWaitNanoseconds, least % 1000 != 0 {
            throw Failure(.usage, "--min-wait takes whole microseconds, such as 50us, not '\(minWait ?? "")'")
        }
        settings.pollerIdleNanoseconds = try pollerIdle.map { try idleTime($0) }
        settings.pollerProcessor = try pollerCpu.map { try availableProcessor($0, of: processors) }
        let times = [waitLimit.map { _ in "--wait-limit" }, minWait.map { _ in "--min-wait" }]
        guard let count = waitFor else {
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

    private func idleTime(_ text: String) throws -> UInt64 {
        let time = try bench.duration(text, "--poller-idle")
        guard time % 1_000_000 == 0, time <= 3_600_000_000_000 else {
            throw Failure(.usage, "--poller-idle takes whole milliseconds up to an hour, such as 1ms, not '\(text)'")
        }
        return time
    }

    private func availableProcessor(_ number: Int, of available: [Int]) throws -> UInt32 {
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
