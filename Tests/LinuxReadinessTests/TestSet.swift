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
    func wait(timeoutMilliseconds: CInt = -1) throws(Errno) -> Int {
        try base.wait(timeoutMilliseconds: timeoutMilliseconds)
    }
    func nextEvent() -> InterestEvent? { base.nextEvent() }

    /// Takes all events of one wait, as tokens in order.
    func events(timeoutMilliseconds: CInt = 0) throws(Errno) -> [InterestToken] {
        _ = try wait(timeoutMilliseconds: timeoutMilliseconds)
        var tokens: [InterestToken] = []
        while let event = nextEvent() { tokens.append(event.token) }
        return tokens
    }
}
