import Testing

@testable import Load
@testable import Meters

@Suite struct MessagePartTests {
    @Test(arguments: [1, 8, 15, 16, 17, 64, 1000]) func everyByteOfAMessageInPiecesIsChecked(_ size: Int) {
        var plan = LoadPlan(.read)
        plan.messageBytes = size
        let format = EchoFormat(plan)
        let number: UInt64 = 0x0102_0304_0506_0708
        var message = [UInt8](repeating: 0, count: size)
        message.withUnsafeMutableBytes { _ = format.request(number, stream: 0, scratch: $0.baseAddress!) }
        for pieces in [[size], [1], [3, 2], [7, 16, 9]] {
            #expect(frame(format, message, pieces: pieces, request: number).verdict == .answered)
            for place in 0..<size {
                var wrong = message
                wrong[place] ^= 0x10
                let framing = frame(format, wrong, pieces: pieces, request: number)
                #expect(framing == Framing(verdict: .failed, end: size, cause: .wrongBytes), "byte \(place)")
            }
        }
    }
}
