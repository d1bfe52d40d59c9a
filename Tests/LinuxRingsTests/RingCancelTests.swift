import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingCancelTests {
    @Test func cancelByTokenEndsOneRequest() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        try ring.prepareAccept(on: listener.descriptor, token: 1)
        try ring.prepareAccept(on: listener.descriptor, token: 2)
        try ring.prepareCancel(target: 1, token: 9)
        let completions = try ring.completions(2)
        #expect(completions.contains { $0.token == 9 && $0.result == 0 })
        #expect(completions.contains { $0.token == 1 && $0.error == .canceled })
        let client = try connect(to: listener)
        let accepted = try ring.completion()
        #expect(accepted.token == 2)
        try connection(accepted.result).close()
        try client.close()
    }

    @Test func cancelOfNothingSaysSo() throws {
        var ring = try Ring.forThisThread(entries: 8)
        try ring.prepareCancel(target: 1, token: 9)
        let completion = try ring.completion()
        #expect(completion.token == 9)
        #expect(completion.error == .noSuchFileOrDirectory)
    }

    @Test(.enabled(if: multishotAvailable, whyNoRings))
    func cancelByDescriptorEndsAllItsRequests() throws {
        var ring = try Ring.forThisThread(entries: 16)
        let listener = try loopbackListener()
        let other = try loopbackListener()
        for token in UInt64(1)...2 { try ring.prepareAccept(on: listener.descriptor, token: token) }
        try ring.prepareMultishotAccept(on: listener.descriptor, token: 3)
        try ring.prepareAccept(on: other.descriptor, token: 4)
        try ring.submit()
        try ring.prepareCancelAll(on: listener.descriptor, token: 9)
        let completions = try ring.completions(4)
        #expect(completions.contains { $0.token == 9 && $0.result == 3 })
        let canceled = completions.filter { $0.error == .canceled }
        #expect(Set(canceled.map(\.token)) == [1, 2, 3])
        #expect(canceled.allSatisfy { !$0.isArmed })

        let client = try connect(to: other)
        let accepted = try ring.completion()
        #expect(accepted.token == 4)
        try connection(accepted.result).close()
        try client.close()
    }

    @Test(.enabled(if: multishotAvailable, whyNoRings))
    func successCanBeKeptQuiet() throws {
        var ring = try Ring.forThisThread(entries: 8)
        let listener = try loopbackListener()
        try ring.prepareAccept(on: listener.descriptor, token: 1)
        try ring.prepareCancel(target: 1, .skipSuccess, token: 9)
        #expect(try ring.completion().token == 1)
        try ring.prepareCancel(target: 1, .skipSuccess, token: 9)
        let completion = try ring.completion()
        #expect(completion.token == 9)
        #expect(completion.error == .noSuchFileOrDirectory)
    }
}
