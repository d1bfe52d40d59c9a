import Statistics
import Testing

@testable import Load
@testable import Meters

@Suite struct BytesFormatTests {
    @Test func aCountEndsAReply() throws {
        let format = try bytesFormat(.count(10))
        for pieces in [[1], [3], [10], [100]] {
            let framing = frame(format, [UInt8](repeating: 0, count: 25), pieces: pieces)
            #expect(framing.end == 10 && framing.verdict == .answered)
        }
        #expect(frame(format, [UInt8](repeating: 0, count: 9), pieces: [4]).verdict == .unfinished)
    }

    /// Where the text first ends, found by trying every place.
    private func naiveEnd(_ text: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= text.count else { return nil }
        return (text.count...bytes.count).first { bytes[($0 - text.count)..<$0].elementsEqual(text) }
    }

    @Test func aTextEndsAReplyWhereverReadsCutIt() throws {
        var generator = SplitMix64(seed: 7)
        for _ in 0..<3000 {
            // Two letters only, so that texts begin within themselves.
            func random(_ count: Int) -> [UInt8] { (0..<count).map { _ in 65 + UInt8(generator.next(below: 2)) } }
            let text = random(1 + Int(generator.next(below: 8)))
            let bytes = random(Int(generator.next(below: 60)))
            let pieces = (0..<4).map { _ in 1 + Int(generator.next(below: 9)) }
            let framing = frame(try bytesFormat(.text(text)), bytes, pieces: pieces)
            let end = naiveEnd(text, in: bytes)
            #expect(
                framing.end == end ?? bytes.count && (framing.verdict == .answered) == (end != nil), "\(text) \(bytes)")
        }
    }
}
