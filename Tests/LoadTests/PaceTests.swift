import Testing

@testable import Load
@testable import Meters

@Suite struct PaceTests {
    @Test func connectionsComeAtThePace() {
        var plan = LoadPlan(.read)
        plan.clients = 2
        var pace = ConnectPace(plan, client: 0)
        var turns = (0..<3).map { _ in pace.take(7) }
        #expect(turns == [7, 7, 7])
        #expect(pace.allowsNow && pace.wait == .max)
        plan.connectionsPerSecond = 2000
        pace = ConnectPace(plan, client: 0)
        // A thread makes every second of them.
        turns = (0..<4).map { _ in pace.take(5_000_000) }
        #expect(turns == [5_000_000, 6_000_000, 7_000_000, 8_000_000])
        // What was not used is not made up for.
        turns = (0..<3).map { _ in pace.take(20_000_000) }
        #expect(turns == [20_000_000, 21_000_000, 22_000_000])
        // A late one does not delay those that follow.
        turns = (0..<3).map { _ in pace.take(25_400_000) }
        #expect(turns == [25_400_000, 26_000_000, 27_000_000])
        let now = monotonicNanoseconds()
        plan.connectionsPerSecond = 0.001
        pace = ConnectPace(plan, client: 0)
        #expect(pace.allowsNow)
        _ = pace.take(now)
        #expect(!pace.allowsNow && pace.wait > now + 1_000_000_000)
    }

    @Test func threadsTakeTurns() {
        var plan = LoadPlan(.crr)
        plan.connectionsPerSecond = 3000
        plan.clients = 4
        let turns = (0..<4).map { index in
            var pace = ConnectPace(plan, client: index)
            pace.begin(at: 1_000_000)
            return (0..<250).map { _ in pace.take(0) }
        }
        for (index, turns) in turns.enumerated() {
            // As evenly as whole nanoseconds allow.
            for (turn, time) in turns.enumerated() {
                let exact = 1_000_000 + Double(index + 4 * turn) * 1e6 / 3
                #expect(abs(Double(time) - exact) <= 2, "thread \(index), turn \(turn): \(time)")
            }
        }
    }

    /// However many wait, one of them tries.
    @Test func theFirstInLineTriesAgain() {
        var line = WaitingLine(capacity: 3)
        var (isEmpty, next) = (line.isEmpty, line.nextTime)
        #expect(isEmpty && next == .max)
        line.push(4, at: 1_000)
        line.push(5, at: 2_000)
        let retry = 1_000 + fullQueueNanoseconds
        var tries = [line.first(dueAt: retry - 1), line.first(dueAt: retry)]
        line.postpone(at: retry)
        tries += [line.first(dueAt: retry), line.first(dueAt: retry + fullQueueNanoseconds)]
        #expect(tries == [nil, 4, nil, 4])
        // Those behind it do not wait longer once it got in.
        line.removeFirst()
        line.push(6, at: 9_000_000)
        line.push(7, at: 9_000_000)
        tries = []
        for _ in 0..<3 {
            tries.append(line.first(dueAt: retry + fullQueueNanoseconds))
            line.removeFirst()
        }
        (isEmpty, next) = (line.isEmpty, line.nextTime)
        #expect(tries == [5, 6, 7] && isEmpty && next == .max)
    }

    @Test func streamsComeWhenTheyAreDue() {
        var queue = TimedQueue(capacity: 3)
        var popped = [queue.pop(dueAt: .max - 1)]
        queue.push(4, at: 10)
        queue.push(5, at: 20)
        queue.push(6, at: 15)
        for time: UInt64 in [9, 10, 19] { popped.append(queue.pop(dueAt: time)) }
        #expect(popped == [nil, nil, 4, nil])
        queue.push(7, at: 30)
        let next = queue.nextTime
        popped = []
        for _ in 0..<4 { popped.append(queue.pop(dueAt: 40)) }
        let last = queue.nextTime
        #expect(next == 20 && popped == [5, 6, 7, nil] && last == .max)
    }
}
