import Testing

@testable import Meters

/// Pauses in completions over time, of one client and of several.
@Suite struct TimelineTests {
    private static let window = RunWindow(loadStart: 0, start: 1_000_000, end: 101_000_000, deadline: .max)

    private func timeline(_ times: some Sequence<UInt64>, isOpen: Bool = false) -> CompletionTimeline {
        var timeline = CompletionTimeline()
        timeline.begin(Self.window, isOpen: isOpen)
        for time in times { timeline.note(time) }
        return timeline
    }

    private func pause(_ timelines: CompletionTimeline...) -> UInt64 {
        CompletionTimeline.longestPause(of: timelines, from: Self.window.start, to: Self.window.end)
    }

    @Test func theEdgesOfTheWindowCount() {
        #expect(pause(timeline([])) == 100_000_000)
        #expect(pause(timeline([31_000_000])) == 70_000_000)
        #expect(pause(timeline([81_000_000])) == 80_000_000)
    }

    @Test func aPauseIsKnownExactly() {
        let before = stride(from: UInt64(1_000_000), through: 41_000_123, by: 1_000)
        let after = stride(from: UInt64(72_000_456), through: 101_000_000, by: 1_000)
        let last = before.reduce(0) { max($0, $1) }
        #expect(pause(timeline(Array(before) + Array(after))) == 72_000_456 - last)
        #expect(pause(timeline(Array(before) + Array(after), isOpen: true)) == 72_000_456 - last)
    }

    @Test func whileOneClientIsServedThereIsNoPause() {
        let first = timeline(stride(from: UInt64(1_000_000), to: 51_000_000, by: 500_000))
        let second = timeline(stride(from: UInt64(50_000_000), to: 101_000_000, by: 500_000))
        #expect(pause(first) > 49_000_000 && pause(second) == 49_000_000)
        #expect(pause(first, second) < 1_000_000)
        // Together they pause only where both do.
        let third = timeline([1_500_000, 95_000_000])
        #expect(pause(first, third) == 95_000_000 - 50_500_000)
    }

    @Test func timesInNoOrderCountAsThoseInOrder() {
        var mixed = timeline([])
        for time: UInt64 in [95_000_000, 1_500_000, 50_500_000, 2_000_000] { mixed.note(unordered: time) }
        #expect(pause(mixed) == 48_500_000)
    }

    @Test func whatLiesOutsideTheWindowIsNotNoted() {
        #expect(pause(timeline([0, 999_999, 101_000_000, 500_000_000])) == 100_000_000)
    }

    @Test func timelinesOfDifferentGrainAreJoined() {
        // The first reaches far enough to be joined in pairs, the second does not.
        let far = timeline([1_100_000, 100_000_000], isOpen: true)
        let near = timeline([1_200_000, 20_000_000], isOpen: true)
        #expect(pause(far, near) == 80_000_000)
    }
}
