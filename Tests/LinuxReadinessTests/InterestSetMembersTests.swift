import Glibc
import LinuxDescriptors
import SystemPackage
import Testing

@testable import LinuxReadiness

/// What is in a set, and for which events.
@Suite struct InterestSetMembersTests {
    @Test func membersComeByTheirNumbersOnce() throws {
        let set = try TestSet()
        #expect(set.token() == nil)
        var tokens = try (0..<5).map { _ in try set.insert(EventFD().release(), .readable) }
        // Beyond the first table.
        let counter = try EventFD().release()
        tokens.append(try set.insert(owned(fcntl(counter.descriptor.rawValue, F_DUPFD_CLOEXEC, 900)), .readable))
        tokens.sort { $0.number < $1.number }
        try set.pause(tokens[1])
        #expect(members(of: set) == tokens)
        #expect(members(of: set).map { set.descriptor(of: $0)?.rawValue } == tokens.map { CInt($0.number) })
        try set.close(tokens[0])
        try set.close(tokens[5])
        #expect(members(of: set) == Array(tokens[1..<5]))
    }

    @Test func removingOnTheWayDisturbsNothing() throws {
        let set = try TestSet()
        let tokens = try (0..<10).map { _ in try set.insert(EventFD().release(), .readable) }
            .sorted { $0.number < $1.number }
        var seen: [InterestToken] = []
        var member = set.token()
        while let token = member {
            seen.append(token)
            if seen.count % 2 == 0 { try set.close(token) }
            // One that is ahead goes, too.
            if seen.count == 5 { try set.close(tokens[8]) }
            member = set.token(after: token)
        }
        #expect(seen == tokens.filter { $0 != tokens[8] })
        #expect(set.count == 5)
        #expect(members(of: set).count == 5)
    }

    @Test func aNumberThatIsUsedAgainIsNotSeenTwice() throws {
        let set = try TestSet()
        let first = try set.insert(EventFD().release(), .readable)
        let again = try set.insert(try set.remove(first), .readable)
        #expect(again.number == first.number)
        #expect(set.token(after: first) == nil && set.token() == again)
    }

    @Test func aTokenOfAnotherSetLeadsNowhere() throws {
        let (one, other) = (try TestSet(), try TestSet())
        let token = try one.insert(EventFD().release(), .readable)
        _ = try other.insert(EventFD().release(), .readable)
        #expect(other.token(after: token) == nil && other.events(of: token) == nil)
    }

    @Test func theEventsAreThoseAskedFor() throws {
        let set = try TestSet()
        let token = try set.insert(EventFD(count: 1).release(), [.readable, .oneShot])
        #expect(set.events(of: token) == [.readable, .oneShot])
        #expect(try set.events() == [token])
        #expect(set.events(of: token) == [.readable, .oneShot])
        try set.pause(token)
        try set.modify(token, [.writable, .edgeTriggered])
        #expect(set.events(of: token) == [.writable, .edgeTriggered])
        try set.resume(token)
        #expect(set.events(of: token) == [.writable, .edgeTriggered])
        // What is refused changes nothing.
        #expect(throws: Errno.invalidArgument) { try set.modify(token, .exclusive) }
        #expect(set.events(of: token) == [.writable, .edgeTriggered])
        try set.close(token)
        #expect(set.events(of: token) == nil)
    }

    private func members(of set: TestSet) -> [InterestToken] {
        var tokens: [InterestToken] = []
        while let token = set.token(after: tokens.last) { tokens.append(token) }
        return tokens
    }
}
