import Glibc
import SystemPackage
import Testing

@testable import Meters

/// What counting wakeups costs, printed: no time decides a test.
@Suite struct WakeupCostTests {
    private enum Attached: CaseIterable {
        case nothing
        case calls
        case wakeups
    }

    private static let roundTrips = 1000
    private static let blocks = 60

    /// Nanoseconds of CPU time by switch of two threads on one processor that answer each other.
    private func pingPong(_ attached: Attached) throws -> Double {
        let processor = try #require(Affinity.available().last)
        let counter = attached == .nothing ? nil : try BPFTreeCounter(countsWakeups: attached == .wakeups)
        let used = Locked(ThreadUsage())
        let pipes = try (0..<2).map { _ in try FileDescriptor.pipe() }
        defer {
            for pipe in pipes {
                try? pipe.readEnd.close()
                try? pipe.writeEnd.close()
            }
        }
        onThreads(2) { index in
            try? Affinity.pinThisThread(to: processor)
            counter?.watchThisThread()
            var byte: UInt8 = 0
            let (reader, writer) = (pipes[index].readEnd.rawValue, pipes[1 - index].writeEnd.rawValue)
            let before = ThreadUsage.ofThisThread()
            for _ in 0..<Self.roundTrips {
                if index == 0 { _ = unsafe write(writer, &byte, 1) }
                _ = unsafe read(reader, &byte, 1)
                if index == 1 { _ = unsafe write(writer, &byte, 1) }
            }
            let usage = ThreadUsage.ofThisThread() - before
            used.withLock { $0 = $0 + usage }
        }
        if attached == .wakeups {
            let wakeups = Int(try #require(counter?.activity()).wakeups)
            // Who is woken may run at once, and answer before the other waits.
            #expect((Self.roundTrips * 9 / 10...2 * Self.roundTrips + 10).contains(wakeups), "\(wakeups)")
        }
        let usage = used.withLock { $0 }
        return Double(usage.cpuNanoseconds) / Double(usage.voluntarySwitches + usage.involuntarySwitches)
    }

    @Test func aSwitchOfAFollowedThread() throws {
        do throws(BPFTreeRefusal) {
            _ = try BPFTreeCounter()
        } catch {
            return print("skipped: \(error.reason)")
        }
        var times: [Attached: [Double]] = [:]
        for block in 0..<Self.blocks {
            let order = block % 2 == 0 ? Attached.allCases : Attached.allCases.reversed()
            for attached in order { times[attached, default: []].append(try pingPong(attached)) }
        }
        func difference(_ more: Attached, _ less: Attached) -> String {
            let each = zip(times[more] ?? [], times[less] ?? []).map { $0 - $1 }.sorted()
            // Of 60 the 22nd and the 39th bound the median with 97 %.
            let middle = (each[Self.blocks / 2 - 1] + each[Self.blocks / 2]) / 2
            return "\(Int(middle)) ns [\(Int(each[21])), \(Int(each[38]))]"
        }
        print(
            "a switch costs \(difference(.wakeups, .calls)) more where wakeups are counted, and the calls beside it "
                + "\(difference(.calls, .nothing)) where calls are")
    }
}
