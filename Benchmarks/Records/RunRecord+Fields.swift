/// What a field of `runs.csv` can hold beyond what its type says.
enum FieldRule {
    /// The column's values are these; with the empty text among them the field may be empty.
    case oneOf([String])
    case atLeast(Double)
    case filled
    case time
    /// `none`, `fixed:T`, `exp:T` or `bimodal:T,T,P`.
    case serviceTime

    /// By column. The modes are not listed: a folder may be of a version with other modes.
    static let byColumn: [String: FieldRule] = [
        "run_id": .filled, "started_at": .time, "git_commit": .filled, "machine_id": .filled, "mode": .filled,
        "build": .oneOf(["release", "debug"]),
        "workload": .oneOf(["accept", "crr", "read", "datagram", "wake"]),
        "topology": .oneOf(["shared-set", "set-per-worker", ""]),
        "listener": .oneOf(["shared", "reuseport", "reuseport-cbpf", "reuseport-ebpf", "reuseport-incoming-cpu", ""]),
        "implementation": .oneOf(["swift", "c", "external"]),
        "close": .oneOf(["reset", "orderly", ""]),
        "rearm": .oneOf(["early", "late", ""]),
        "service": .oneOf(["busy", "sleep", ""]),
        "spacing": .oneOf(["uniform", "poisson", ""]),
        "signal": .oneOf([
            "eventfd", "eventfd-semaphore", "pipe", "futex", "msg-ring", "signalfd", "timerfd", "ring-timeout",
            "wait-timeout", "wait-timeout-ms", "",
        ]),
        "shape": .oneOf(["ping-pong", "pool", "timer", ""]),
        "descriptors": .oneOf(["per-task", "per-worker", ""]),
        "live": .oneOf(["live", ""]),
        "placement": .oneOf(["same-cpu", "different-cpus", "unpinned", ""]),
        "syscalls_source": .oneOf(["bpf", "perf", "loop", ""]),
        "protocol": .oneOf(["echo", "http", "redis", "memcached", "bytes", ""]),
        "saturated": .oneOf(["yes", "no", ""]),
        "service_time": .serviceTime,
        "workers": .atLeast(1), "round": .atLeast(1), "order_in_round": .atLeast(1), "message_size_bytes": .atLeast(1),
        "depth": .atLeast(1), "producers": .atLeast(1), "consumers": .atLeast(1), "tasks": .atLeast(1),
        "clients": .atLeast(1), "drain": .atLeast(1), "load_hosts": .atLeast(1),
    ]

    /// - Throws: what is wrong with `text`, which has been read as the column's type already.
    func check(_ text: String) throws(FieldProblem) {
        switch self {
        case .oneOf(let values):
            guard !values.contains(text) else { return }
            let known = values.map { $0.isEmpty ? "nothing" : $0 }.joined(separator: ", ")
            throw FieldProblem(message: "is not one of \(known)")
        case .atLeast(let least):
            guard let number = Double(text), number < least else { return }
            throw FieldProblem(message: "is out of range, which begins at \(least.csvText)")
        case .filled:
            if text.isEmpty { throw FieldProblem(message: "is empty") }
        case .time:
            guard Timestamp(text) == nil else { return }
            throw FieldProblem(message: "is not a time of ISO 8601 with its offset, such as 2026-01-31T12:00:00Z")
        case .serviceTime:
            guard !Self.isServiceTime(text) else { return }
            throw FieldProblem(message: "is not none, fixed:T, exp:T or bimodal:T,T,P")
        }
    }

    private static func isServiceTime(_ text: String) -> Bool {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let values = parts.count < 2 ? [] : parts[1].split(separator: ",", omittingEmptySubsequences: false)
        switch (parts[0], values.count) {
        case ("none", 0): return true
        case ("fixed", 1), ("exp", 1): return isDuration(values[0])
        case ("bimodal", 3):
            let share = try? Double.parse(String(values[2]), in: 0...1)
            return isDuration(values[0]) && isDuration(values[1]) && share != nil
        default: return false
        }
    }

    private static func isDuration(_ text: Substring) -> Bool {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        return !digits.isEmpty && ["ns", "us", "ms", "s"].contains(text.dropFirst(digits.count))
    }
}
