import LinuxDescriptors
import SystemPackage

@testable import LinuxReadiness

/// An interest set behind a reference, because expectations cannot hold what cannot be copied.
final class TestSet {
    var base: InterestSet

    init(capacity: Int = 64) throws(Errno) { base = try InterestSet(capacity: capacity) }

    var count: Int { base.count }
    var mustRebuild: Bool { base.mustRebuild }
    var incidents: InterestSet.Incidents { base.incidents }
    func holds(_ token: InterestToken) -> Bool { base.holds(token) }
    func descriptor(of token: InterestToken) -> BorrowedDescriptor? { base.descriptor(of: token) }

    func insert(_ descriptor: consuming OwnedDescriptor, _ events: EpollEvents) throws(Errno) -> InterestToken {
        try base.insert(descriptor, events)
    }

    func remove(_ token: InterestToken) throws(Errno) -> OwnedDescriptor { try base.remove(token) }
    func close(_ token: InterestToken) throws(Errno) { try base.close(token) }
    func modify(_ token: InterestToken, _ events: EpollEvents) throws(Errno) { try base.modify(token, events) }
    func wait(timeout: Duration? = nil) throws(Errno) -> Int {
        if let timeout { try base.wait(timeout: timeout) } else { try base.wait() }
    }
    func waitInterruptibly(timeout: Duration? = nil, blocked: SignalSet? = nil) throws(Errno) -> WaitOutcome {
        try base.waitInterruptibly(timeout: timeout, blocked: blocked)
    }
    func ownDescriptor() throws(Errno) -> BorrowedDescriptor { try base.descriptor }
    func events(of token: InterestToken) -> EpollEvents? { base.events(of: token) }
    func token(after token: InterestToken? = nil) -> InterestToken? { base.token(after: token) }
    func nextEvent() -> InterestEvent? { base.nextEvent() }

    func receive(from token: InterestToken, into bytes: inout [UInt8]) throws(Errno) -> Int? {
        var span = bytes.mutableSpan
        var room = span.mutableBytes
        return try base.receive(from: token, into: &room)
    }

    func send(_ bytes: [UInt8], to token: InterestToken) throws(Errno) -> Int? {
        try base.send(bytes.span.bytes, to: token)
    }
    func pause(_ token: InterestToken) throws(Errno) { try base.pause(token) }
    func resume(_ token: InterestToken) throws(Errno) { try base.resume(token) }
    func isPaused(_ token: InterestToken) -> Bool { base.isPaused(token) }

    /// Takes all events of one wait, as tokens in order.
    func events(timeout: Duration? = .zero) throws(Errno) -> [InterestToken] {
        _ = try wait(timeout: timeout)
        var tokens: [InterestToken] = []
        while let event = nextEvent() { tokens.append(event.token) }
        return tokens
    }
}
