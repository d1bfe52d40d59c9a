import Foundation
import Testing

@testable import Statistics

/// What `Scripts/make_vectors.py` had other implementations compute.
struct Vectors: Decodable {
    struct MedianInterval: Decodable { var n: Int, confidence: Double, rank: Int, coverage: Double }
    struct SignTest: Decodable { var values: [Double], bound: Double, p: Double }
    struct HodgesLehmann: Decodable {
        var base: [Double], new: [Double], estimate: Double, lower: Double?, upper: Double?, coverage: Double?
    }
    struct LargeSample: Decodable {
        var base: [Double], new: [Double], estimate: Double, u: Double, pGreater: Double, pLess: Double
    }
    struct ExactTail: Decodable { var m: Int, n: Int, u: Int, p: Double }
    struct Trend: Decodable { var values: [Double], p: Double }
    struct Energy: Decodable { var values: [Double], index: Int, q: Double }
    struct Dip: Decodable { var values: [Double], dip: Double }

    var medianIntervals: [MedianInterval], signTests: [SignTest], hodgesLehmann: [HodgesLehmann]
    var largeSamples: [LargeSample], exactTails: [ExactTail], trends: [Trend], energies: [Energy], dips: [Dip]
    var splitMix64: [String]

    static func load() throws -> Vectors {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scripts/vectors.json")
        return try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: file))
    }
}

@Suite struct StatisticsTests {
    private let vectors: Vectors

    init() throws { vectors = try Vectors.load() }

    private func isClose(_ a: Double?, _ b: Double?, _ tolerance: Double = 1e-9) -> Bool {
        guard let a, let b else { return a == nil && b == nil }
        return abs(a - b) <= tolerance * max(1, abs(b))
    }

    @Test func medianIntervalsHaveScipysRanksAndCoverage() {
        for row in vectors.medianIntervals {
            let interval = medianInterval((1...row.n).map(Double.init).shuffled(), confidence: row.confidence)
            #expect(interval?.lower == (row.rank > 0 ? Double(row.rank) : nil), "n = \(row.n)")
            #expect(interval?.upper == (row.rank > 0 ? Double(row.n + 1 - row.rank) : nil))
            #expect(isClose(interval?.confidence, row.rank > 0 ? row.coverage : nil), "n = \(row.n)")
        }
        #expect(medianInterval([]) == nil)
    }

    /// The ranks that the method's description promises.
    @Test(arguments: [(6, 1, 6, 0.969), (10, 2, 9, 0.979), (20, 6, 15, 0.959)])
    func publishedBlockCounts(blocks: Int, lower: Int, upper: Int, confidence: Double) throws {
        let interval = try #require(medianInterval((1...blocks).map(Double.init)))
        #expect(interval.lower == Double(lower) && interval.upper == Double(upper))
        #expect(abs(interval.confidence - confidence) < 0.0005)
        #expect(medianInterval([1, 2, 3, 4, 5]) == nil)
    }

    @Test func signTestsAgree() {
        for row in vectors.signTests { #expect(isClose(signTest(row.values, beyond: row.bound), row.p)) }
        #expect(signTest([], beyond: 0) == 1)
    }

    @Test func theSignTestRejectsExactlyWhereTheIntervalLiesBeyond() throws {
        var generator = SplitMix64(seed: 5)
        for count in 6...40 {
            let values = (0..<count).map { _ in Double(generator.next(below: 1_000)) - 300 }
            let interval = try #require(medianInterval(values))
            #expect((signTest(values, beyond: 10) <= 0.05) == (interval.lower > 10))
        }
    }

    @Test func exactUDistributionsAgree() {
        for row in vectors.exactTails {
            let cumulative = MannWhitney.exactCumulative(row.m, row.n)
            #expect(cumulative.count == row.m * row.n + 1)
            #expect(isClose(cumulative[row.u], row.p, 1e-10), "\(row.m) \(row.n) \(row.u)")
        }
    }

    @Test func shiftsAndTheirIntervalsAgree() throws {
        for row in vectors.hodgesLehmann {
            let shift = try #require(HodgesLehmann(base: row.base, new: row.new))
            let interval = shift.interval(confidence: 0.95)
            #expect(isClose(shift.estimate, row.estimate))
            #expect(isClose(interval?.lower, row.lower) && isClose(interval?.upper, row.upper))
            #expect(isClose(interval?.confidence, row.coverage))
        }
        #expect(HodgesLehmann(base: [], new: [1]) == nil)
    }

    @Test func largeSamplesUseTheTieCorrectedNormal() throws {
        for row in vectors.largeSamples {
            let shift = try #require(HodgesLehmann(base: row.base, new: row.new))
            #expect(isClose(shift.estimate, row.estimate))
            let mean = Double(row.base.count * row.new.count) / 2
            let deviation = MannWhitney.standardDeviation(row.base, row.new)
            #expect(isClose(normalCumulative((row.u + 0.5 - mean) / deviation), row.pLess))
            #expect(isClose(normalCumulative(-(row.u - 0.5 - mean) / deviation), row.pGreater))
            // Half the tied pairs count in U and none in the test for a shift, which may only make it less sure.
            #expect(shift.pValue(beyond: 0) >= 2 * row.pGreater - 1e-12)
        }
        let untied = try #require(vectors.largeSamples.first)
        let shift = try #require(HodgesLehmann(base: untied.base, new: untied.new))
        #expect(isClose(shift.pValue(beyond: 0), 2 * untied.pGreater))
    }

    @Test func theUTestRejectsExactlyWhereTheIntervalLiesBeyond() throws {
        var generator = SplitMix64(seed: 6)
        for count in 4...35 {
            let base = (0..<count).map { _ in Double(generator.next(below: 100)) }
            let new = (0...count).map { _ in Double(generator.next(below: 100)) + 25 }
            let shift = try #require(HodgesLehmann(base: base, new: new))
            let interval = try #require(shift.interval(confidence: 0.95))
            #expect((shift.pValue(beyond: 10) <= 0.05) == (interval.lower > 10), "\(count)")
            #expect((shift.pValue(beyond: -1) <= 0.05) == (interval.upper < -1), "\(count)")
        }
    }

    /// Worked by hand: 4 · 0.005, 3 · 0.01, 2 · 0.03, then 0.04, which may not be smaller than the one before.
    @Test func holm() {
        let adjusted = holmAdjusted([0.01, 0.04, 0.03, 0.005])
        for (value, wanted) in zip(adjusted, [0.03, 0.06, 0.06, 0.02]) { #expect(isClose(value, wanted)) }
        #expect(holmAdjusted([]).isEmpty && holmAdjusted([0.7, 0.8]) == [1, 1])
    }

    @Test func trendsAgree() {
        for row in vectors.trends { #expect(isClose(trendPValue(row.values), row.p)) }
        #expect(trendPValue([1, 2, 3]) == nil && trendPValue(Array(repeating: 1, count: 9)) == nil)
    }

    @Test func dipsAgree() {
        for row in vectors.dips { #expect(isClose(DipTest.dip(row.values), row.dip), "\(row.values)") }
        #expect(DipTest.dip([1, 2, 3]) == nil)
    }

    /// At a level of 1 %, at most 5 of 200 samples with a single mode may be taken for two: the chance of more is
    /// 1.6 %, and the seed is fixed.
    @Test func oneModeIsRarelyTakenForTwo() {
        var generator = SplitMix64(seed: 11)
        let null = DipTest.null(count: 20, simulations: 199)
        var (falseAlarms, found) = (0, 0)
        for _ in 0..<200 {
            // The sum of twelve uniform numbers is close to normal.
            let normal = (0..<20).map { _ in
                (0..<12).reduce(0.0) { sum, _ in sum + Double(generator.next(below: 1 << 30)) }
            }
            let spread = 5.0 * Double(1 << 30)
            let split = normal.enumerated().map { $0.element + ($0.offset % 2 == 0 ? spread : -spread) }
            if DipTest.pValue(normal, null: null) ?? 1 <= 0.01 { falseAlarms += 1 }
            if DipTest.pValue(split, null: null) ?? 1 <= 0.01 { found += 1 }
        }
        #expect(falseAlarms <= 5)
        #expect(found >= 190)
    }

    @Test func splitsAgree() {
        for row in vectors.energies {
            let best = ChangePoints().bestSplit(row.values)
            #expect(best?.index == row.index && isClose(best?.statistic, row.q))
        }
    }

    @Test func changesAreFoundAndNoiseIsNot() {
        var generator = SplitMix64(seed: 3)
        func level(_ value: Double, _ count: Int) -> [Double] {
            (0..<count).map { _ in value + Double(generator.next(below: 1_000)) / 100 }
        }
        #expect(ChangePoints().find(in: level(100, 12) + level(120, 15) + level(105, 12)) == [12, 27])
        let alarms = (0..<100).map { _ in ChangePoints().find(in: level(100, 20)).count }.filter { $0 > 0 }.count
        #expect(alarms <= 4)
        #expect(ChangePoints().find(in: []).isEmpty && ChangePoints().find(in: [1, 9]).isEmpty)
        #expect(ChangePoints().find(in: Array(repeating: 5, count: 30)).isEmpty)
    }

    @Test func seedsRepeat() {
        var generator = SplitMix64(seed: 1_234_567)
        #expect((0..<5).map { _ in String(generator.next()) } == vectors.splitMix64)
        let orders = blockOrders(arms: 5, blocks: 200, seed: 9)
        #expect(orders == blockOrders(arms: 5, blocks: 200, seed: 9))
        #expect(orders != blockOrders(arms: 5, blocks: 200, seed: 10))
        #expect(orders.allSatisfy { $0.sorted() == [0, 1, 2, 3, 4] })
        // Each arm comes first about 40 times; 4 standard deviations are 23.
        for arm in 0..<5 { #expect(abs(orders.count { $0[0] == arm } - 40) <= 23) }
    }

    @Test func weightsShareTheErrorRate() {
        #expect(holmAdjusted([0.01, 0.04]) == [0.02, 0.04])
        let adjusted = holmAdjusted([0.01, 0.002, 0.5], weights: [1, 0.1, 0.1])
        #expect(zip(adjusted, [0.012, 0.012, 0.5]).allSatisfy { abs($0 - $1) < 1e-12 }, "\(adjusted)")
    }

    @Test func jainsIndex() throws {
        #expect(jainIndex([5, 5, 5]) == 1)
        #expect(jainIndex([9, 0, 0]) == 1.0 / 3)
        #expect(abs(try #require(jainIndex([1, 2, 3])) - 36.0 / 42) < 1e-12)
        #expect(jainIndex([.max, .max]) == 1)
        #expect(jainIndex([]) == nil && jainIndex([0, 0]) == nil)
    }

    @Test func jainsIndexOfThoseThatAreBusy() {
        #expect(jainIndex(ofBusy: [500, 500, 9, 0], atLeast: 1) == 1)
        // One that does everything shares with nobody, or with those that do nothing.
        #expect(jainIndex(ofBusy: [500], atLeast: 1) == nil && jainIndex(ofBusy: [500, 0, 1], atLeast: 1) == nil)
        // Of four that were meant to work, three had nothing.
        #expect(jainIndex(ofBusy: [500, 1], atLeast: 4) == 0.25)
        #expect(jainIndex(ofBusy: [], atLeast: 2) == nil && jainIndex(ofBusy: [0, 0], atLeast: 1) == nil)
    }
}
