import Histogram
import Records
import Testing

@Suite struct ServiceObjectiveTests {
    @Test(
        arguments: [
            ("p99=1ms", "p99=1ms"), ("p999=5ms", "p99.9=5ms"), ("p99.9=5000us", "p99.9=5ms"), ("p5=1s", "p5=1s"),
            ("p50=1", "p50=1s"), ("p9999=1500ns,p50=10us", "p99.99=1500ns,p50=10us"), ("p0.5=1ms", "p0.5=1ms"),
            ("p99.9999=1h", nil), ("p99=0ms", nil), ("p99=1ms,p99=2ms", nil), ("p99.0=1ms,p99=2ms", nil), ("", nil),
            ("p=1ms", nil), ("p0=1ms", nil), ("p100.5=1ms", nil), ("p100=1ms", nil), ("p99", nil), ("99=1ms", nil),
            ("p99=1ms,", nil),
            ("p99=-1ms", nil), ("p9 9=1ms", nil), ("p99.9.9=1ms", nil), ("p99.99999=1ms", nil), ("p٩٩=1ms", nil),
        ] as [(String, String?)]) func readsWhatItWrites(_ text: String, _ canonical: String?)
    {
        let objective = ServiceObjective(text)
        #expect(objective?.text == canonical)
        if let canonical { #expect(ServiceObjective(canonical) == objective) }
    }

    @Test(arguments: [("p50=1s", 20), ("p99=1s", 1000), ("p99.9=1s", 10_000), ("p50=1s,p99.99=1s", 100_000)])
    func tenSamplesLieBeyondAPercentile(_ text: String, _ samples: UInt64) throws {
        let objective = try #require(ServiceObjective(text))
        #expect(objective.samplesNeeded == samples)
        var latencies = Histogram<UInt64>(highestTrackableValue: 1_000_000)
        let deepest = try #require(objective.bounds.last)
        for value in 1..<samples { latencies.record(value % 1000 + 1) }
        #expect(deepest.latency(latencies) == nil)
        latencies.record(1)
        #expect(deepest.latency(latencies) != nil)
    }
}
