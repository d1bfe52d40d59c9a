import Histogram
import Meters
import Testing

@Suite struct LatencyRecorderTests {
    @Test func whatTheHistogramCannotHoldIsCountedAndNotLost() {
        var recorder = LatencyRecorder()
        recorder.record(nanoseconds: 0)
        recorder.record(nanoseconds: LatencyRecorder.highestNanoseconds)
        #expect(recorder.outOfRange == 0)
        recorder.record(nanoseconds: 2 * LatencyRecorder.highestNanoseconds)
        recorder.record(nanoseconds: .max)
        #expect(recorder.outOfRange == 2)
        #expect(recorder.histogram.totalCount == 2)
    }

    @Test func threeDigitsAreKept() {
        var recorder = LatencyRecorder()
        for value: UInt64 in [1, 999, 123_456, 987_654_321] { recorder.record(nanoseconds: value) }
        let values = recorder.histogram.recordedValues().map(\.value)
        for (value, wanted) in zip(values, [1, 999, 123_456, 987_654_321]) {
            #expect(abs(Double(value) - Double(wanted)) <= Double(wanted) / 1000)
        }
        #expect(values.count == 4)
    }

    @Test func recordersAddUp() {
        var one = LatencyRecorder()
        var two = LatencyRecorder()
        for value in 1...100 { one.record(nanoseconds: UInt64(value)) }
        two.record(nanoseconds: 5_000)
        two.record(nanoseconds: .max)
        one.add(two)
        #expect(one.histogram.totalCount == 101)
        #expect(one.histogram.min == 1)
        #expect(one.outOfRange == 1)
    }
}
