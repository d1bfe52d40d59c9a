import Histogram
import LinuxSockets
import SystemPackage

@testable import Load
@testable import Meters

/// A window that begins at once and ends when the test is done.
let openWindow = RunWindow(loadStart: 0, start: 0, end: 1 << 62, loadEnd: 1 << 62, deadline: .max)

extension ClientResult {
    var answers: Int { Int(latencies.histogram.totalCount) }
    /// Without a sum over the failures, which would allocate in a debug build.
    var ended: Int { answers + Int(failedInWindow) }
}

extension LoadClient where Self: ~Copyable {
    /// Waits until something is so, or a minute has passed.
    mutating func wait(until isDone: (borrowing Self) -> Bool) throws {
        let limit = monotonicNanoseconds() + 60_000_000_000
        while !isDone(self), monotonicNanoseconds() < limit {
            try awaitAnswers(until: monotonicNanoseconds() + 100_000_000)
        }
    }

    /// Starts operations as fast as there is room, until so many have ended.
    mutating func start(_ operations: Int) throws {
        let limit = monotonicNanoseconds() + 60_000_000_000
        while result.ended < operations, monotonicNanoseconds() < limit {
            while hasRoom, result.ended + Int(outstanding) < operations {
                guard try start(at: monotonicNanoseconds()) else { break }
            }
            try awaitAnswers(until: monotonicNanoseconds() + 100_000_000)
        }
    }
}

/// What a read client saw when so many operations had ended, and nothing was being connected.
func readResult<Format: ReplyFormat & ~Copyable>(
    _ format: consuming Format, _ plan: LoadPlan, to address: SocketAddress, operations: Int,
    start: ClientStart = ClientStart()
) throws -> ClientResult {
    var client = try StreamClient(
        format, plan, to: address, connections: plan.connections, idle: 0, seed: 1, start: start)
    client.begin(openWindow)
    try client.wait { $0.result.ended >= operations && $0.connecting == 0 }
    return client.result
}

/// What a client of one request a connection saw when so many operations had ended.
func exchangeResult<Format: ReplyFormat & ~Copyable>(
    _ format: consuming Format, _ plan: LoadPlan, to address: SocketAddress, operations: Int
) throws -> ClientResult {
    var client = try ConnectionClient(format, plan, to: address, capacity: plan.connections)
    client.begin(openWindow)
    try client.start(operations)
    return client.result
}

func plan(_ workload: Workload, _ conversation: Conversation = Conversation(), connections: Int = 1, depth: Int = 1)
    -> LoadPlan
{
    var plan = LoadPlan(workload)
    plan.conversation = conversation
    plan.connections = connections
    plan.depth = depth
    return plan
}
