import Foundation
import Histogram
import LinuxSockets
import Testing

@testable import Load
@testable import Meters
@testable import Runs
@testable import Servers

/// What crosses the network arrives as it was, and what is none of it is refused.
@Suite struct HostCodingTests {
    private func again<Value: Codable>(_ value: Value) throws -> Value {
        try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value))
    }

    private func recorder(_ latencies: [UInt64], outOfRange: UInt64 = 0) -> LatencyRecorder {
        var recorder = LatencyRecorder()
        for latency in latencies { recorder.record(nanoseconds: latency) }
        for _ in 0..<outOfRange { recorder.record(nanoseconds: .max) }
        return recorder
    }

    @Test(
        arguments: [
            [], [0], [1], [123_456_789], [5, 5, 5], [0, 0, 3_599_999_999_999], [1_000_001, 1_000_002],
            [7, 100_003, 100_001],
        ] as [[UInt64]])
    func latenciesArriveExactly(_ latencies: [UInt64]) throws {
        let sent = recorder(latencies, outOfRange: 3)
        let arrived = try again(sent)
        #expect(arrived.histogram == sent.histogram)
        #expect(arrived.outOfRange == 3)
        #expect(arrived.histogram.totalCount == UInt64(latencies.count))
        #expect(arrived.histogram.maxRecorded == sent.histogram.maxRecorded)
        #expect(arrived.histogram.min == sent.histogram.min)
    }

    @Test func sumsOfWhatArrivedAreTheSumsOfWhatWasSent() throws {
        var generator = SystemRandomNumberGenerator()
        let parts = (0..<3).map { _ in recorder((0..<500).map { _ in .random(in: 1...50_000_000, using: &generator) }) }
        var (direct, sent) = (LatencyRecorder(), LatencyRecorder())
        for part in parts {
            direct.add(part)
            sent.add(try again(part))
        }
        #expect(direct.histogram == sent.histogram && direct.histogram.totalCount == 1500)
    }

    @Test(arguments: [
        #"{"values":[5],"counts":[],"shortest":5,"longest":5,"outOfRange":0}"#,
        #"{"values":[5],"counts":[0],"shortest":5,"longest":5,"outOfRange":0}"#,
        #"{"values":[5],"counts":[18446744073709551615],"shortest":5,"longest":5,"outOfRange":0}"#,
        #"{"values":[5,4],"counts":[1,1],"shortest":4,"longest":5,"outOfRange":0}"#,
        #"{"values":[5],"counts":[1],"shortest":5,"longest":9000,"outOfRange":0}"#,
        #"{"values":[18446744073709551615],"counts":[1],"shortest":5,"longest":5,"outOfRange":0}"#,
        #"{"values":[],"counts":[],"shortest":0,"longest":0,"outOfRange":18446744073709551615}"#,
        #"{}"#,
    ])
    func whatIsNoHistogramIsRefused(_ text: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(LatencyRecorder.self, from: Data(text.utf8))
        }
    }

    @Test func completionsArriveAndMove() throws {
        let window = RunWindow(loadStart: 0, start: 1 << 40, end: 1 << 40 + 1_000_000_000, deadline: 1 << 41)
        var (one, other) = (CompletionTimeline(), CompletionTimeline())
        one.begin(window)
        other.begin(window)
        for step in stride(from: UInt64(0), to: 400_000_000, by: 1_000_000) { one.note(window.start + step) }
        for step in stride(from: UInt64(700_000_000), to: 1_000_000_000, by: 1_000_000) {
            other.note(window.start + step)
        }
        func pause(_ lines: [CompletionTimeline], _ ahead: UInt64 = 0) -> UInt64 {
            CompletionTimeline.longestPause(of: lines, from: window.start - ahead, to: window.end - ahead)
        }
        let direct = pause([one, other])
        #expect(direct == 301_000_000)
        var sum = try again(one)
        sum.add(try again(other))
        #expect(pause([sum]) == direct)
        #expect(pause([sum.moved(by: 5_000_000_000)], 5_000_000_000) == direct)
    }

    @Test(arguments: [
        #"{"start":5,"length":10,"shift":70,"slots":[],"firsts":[],"lasts":[]}"#,
        #"{"start":5,"length":10,"shift":1,"slots":[1024],"firsts":[1],"lasts":[1]}"#,
        #"{"start":5,"length":10,"shift":1,"slots":[0],"firsts":[1],"lasts":[90]}"#,
        #"{"start":18446744073709551614,"length":10,"shift":1,"slots":[0],"firsts":[1],"lasts":[1]}"#,
        #"{"start":5,"length":10,"shift":1,"slots":[0,0],"firsts":[1,1],"lasts":[1,1]}"#,
    ])
    func whatAreNoCompletionsIsRefused(_ text: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(CompletionTimeline.self, from: Data(text.utf8))
        }
    }

    @Test func aPlanArrives() throws {
        var plan = LoadPlan(.crr)
        plan.conversation.wire = .redis
        plan.conversation.requests = [.init(Array("GET a\r\n".utf8), weight: 0.5)]
        plan.pace = .openLoop(perSecond: 12_345.678)
        plan.spacing = .poisson
        plan.part = LoadPart(rank: 2, of: 3)
        plan.connectionsPerSecond = 99
        let order = try again(LoadOrder(plan, to: .loopback(), seed: 7))
        #expect(order.plan.ratePerSecond == 12_345.678 && order.plan.part == LoadPart(rank: 2, of: 3))
        #expect(order.plan.conversation.requests == plan.conversation.requests)
        #expect(order.plan.spacing == .poisson && order.plan.connectionsPerSecond == 99)
    }

    @Test func aPlanThatCannotBeIsRefused() throws {
        for change: (inout LoadPlan) -> Void in [
            { $0.clients = 0 }, { $0.connections = -1 }, { $0.part.hosts = 0 }, { $0.part.rank = 9 },
            { $0.conversation.wire = .http }, { $0.pace = .openLoop(perSecond: .infinity) }, { $0.workload = .wake },
        ] {
            var plan = LoadPlan(.crr)
            change(&plan)
            let order = LoadOrder(plan, to: .loopback(), seed: 7)
            #expect(throws: RunError.self) { try order.clients(.unpinned) }
        }
    }
}

/// What is known of clocks and beginnings.
@Suite struct HostTimesTests {
    @Test(arguments: [0, 1_000_000_000_000, -40_000_000]) func anOffsetIsRightWithinHalfARoundTrip(_ ahead: Int64)
        throws
    {
        let clock = try ClockOffset { () throws(ProtocolError) in
            let time = monotonicNanoseconds() &+ UInt64(bitPattern: ahead)
            // The way back is longer.
            sleepUntil(nanoseconds: monotonicNanoseconds() + 200_000)
            return (time, monotonicNanoseconds())
        }
        #expect(abs(clock.nanoseconds - ahead) <= Int64(clock.error))
        #expect(clock.error >= 100_000)
        let now = monotonicNanoseconds()
        #expect(clock.there(now) == now &+ UInt64(bitPattern: clock.nanoseconds))
    }

    private func times(_ begun: [(UInt64, UInt64)]) -> HostTimes {
        let window = RunWindow(loadStart: 1_000, start: 101_000, end: 201_000, deadline: 300_000)
        return HostTimes(begun: begun.map { (first: $0.0, last: $0.1) }, clockErrors: [3, 9, 5], window: window)
    }

    @Test func theWindowsOfAllIsWhatTheyShare() {
        let good = times([(1_000, 1_100), (1_200, 1_300), (1_500, 1_900)])
        #expect(good.skewNanoseconds == 900 && good.clockErrorNanoseconds == 9)
        #expect(good.sharedNanoseconds == 100_000 && !good.isSkewed)
    }

    @Test func whoBeginsLateMakesThemSkewed() {
        #expect(times([(1_000, 1_000), (2_001, 2_001)]).isSkewed)
        #expect(!times([(1_000, 1_000), (2_000, 2_000)]).isSkewed)
        // All alike too late.
        let late = times([(103_000, 103_000), (103_000, 103_000)])
        #expect(late.sharedNanoseconds == 98_000 && late.isSkewed)
    }
}

/// Which process of how many this one is.
@Suite struct LauncherPlaceTests {
    @Test(
        arguments: [
            (["OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "4"], 2, 4),
            (["PMI_RANK": "1", "PMI_SIZE": "2"], 1, 2),
            (["PMIX_RANK": "1"], 1, nil),
            (["SLURM_PROCID": "3", "SLURM_NTASKS": "8"], 3, 8),
            (["SLURM_PROCID": "1", "SLURM_NTASKS": "8", "SLURM_STEP_NUM_TASKS": "2"], 1, 2),
            (["JOB_COMPLETION_INDEX": "0"], 0, nil),
            (["PARALLEL_SEQ": "1"], 0, nil),
            (["OMPI_COMM_WORLD_RANK": "1", "SLURM_PROCID": "0", "SLURM_NTASKS": "9"], 1, nil),
        ] as [([String: String], Int, Int?)])
    func enginesSayIt(_ environment: [String: String], _ rank: Int, _ size: Int?) throws {
        let place = try #require(try LauncherPlace(environment))
        #expect(place.rank == rank && place.size == size)
    }

    @Test func nobodySaysIt() throws { #expect(try LauncherPlace(["HOME": "/"]) == nil) }

    @Test(arguments: [["PMIX_RANK": "x"], ["PARALLEL_SEQ": "0"], ["SLURM_PROCID": "-1"], ["PMI_RANK": ""]])
    func nonsenseIsRefused(_ environment: [String: String]) {
        #expect(throws: RunError.self) { try LauncherPlace(environment) }
    }
}
