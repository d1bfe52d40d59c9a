import CSocketExtras
import Glibc
import LinuxDescriptors
import SystemPackage
import TestSupport
import Testing

@testable import LinuxReadiness

/// Random interleavings of everything that moves a registration, over all flags that epoll takes, against two judges: a
/// plain model of which registrations are armed, and a fresh set of the kernel that watches what the model calls armed.
@Suite(.enabled(if: descriptorTablesAvailable, whyNoTables)) struct InterestSetPropertyTests {
    /// In a process of its own, because it forks, and in a table of its own, because it closes numbers behind the set's
    /// back, which Dispatch could get.
    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func agreesWithTheModelAndWithAFreshSet(seed: UInt64) async {
        switch seed {
        case 1: await #expect(processExitsWith: .success) { try walk(seed: 1) }
        case 2: await #expect(processExitsWith: .success) { try walk(seed: 2) }
        case 3: await #expect(processExitsWith: .success) { try walk(seed: 3) }
        default: await #expect(processExitsWith: .success) { try walk(seed: 4) }
        }
    }
}

private func walk(seed: UInt64) throws {
    try withOwnDescriptorTable { try RandomWalk.run(seed: seed, steps: 4000) }
}

private struct Disagreement: Error { let what: String }

/// The set under test, its model, and the steps.
struct RandomWalk: ~Copyable {
    private let set: TestSet
    private var live: [InterestToken: WatchedMember] = [:]
    private var dead: Set<InterestToken> = []
    /// Closed behind the set's back, which may not know it yet.
    private var closed: Set<InterestToken> = []
    /// Second descriptors of what is in no set any more, which keep ghosts alive.
    private var strays: [CInt] = []
    private var generator: SeededGenerator

    static func run(seed: UInt64, steps: Int) throws {
        var walk = RandomWalk(set: try TestSet(capacity: 256), seed: seed)
        for step in 0..<steps {
            do {
                try walk.step()
                if Int.random(in: 0..<3, using: &walk.generator) == 0 { try walk.wait() }
            } catch {
                print("seed \(seed), step \(step): \(error)")
                throw error
            }
        }
    }

    private init(set: TestSet, seed: UInt64) {
        self.set = set
        generator = SeededGenerator(state: seed)
    }

    private mutating func step() throws {
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<20 where live.count < 60: try insert()
        case 20..<34: try modify()
        case 34..<40: try pause()
        case 40..<46: try resume()
        case 46..<70: move()
        case 70..<82: try remove()
        case 82..<86: try tamper()
        case 86..<88: try useClosed()
        case 88..<91: if let index = strays.indices.randomElement(using: &generator) { close(strays.remove(at: index)) }
        case 91..<97: try rebuild()
        case 97..<99: try fork()
        default: break
        }
    }

    private mutating func pick() -> InterestToken? {
        live.keys.sorted { $0.life < $1.life }.randomElement(using: &generator)
    }

    private mutating func interest(inserting: Bool) -> EpollEvents {
        let wishes: [EpollEvents] = [.readable, .writable, [.readable, .writable], [.readable, .peerClosed], []]
        var triggers: [EpollEvents] = [[], .edgeTriggered, .oneShot, [.edgeTriggered, .oneShot]]
        let wish = wishes.randomElement(using: &generator)!
        if inserting && !wish.contains(.peerClosed) { triggers += [.exclusive, [.exclusive, .edgeTriggered]] }
        return wish.union(triggers.randomElement(using: &generator)!)
    }

    // MARK: Steps

    private mutating func insert() throws {
        let (number, member) = try WatchedMember.make(interest(inserting: true), &generator)
        let token = try set.insert(owned(number), member.events)
        if dead.contains(token) || live[token] != nil { throw Disagreement(what: "a token was given twice") }
        live[token] = member
    }

    private mutating func modify() throws {
        guard let token = pick() else { return }
        let events = interest(inserting: false)
        do {
            try set.modify(token, events)
            if live[token]!.events.contains(.exclusive) { throw Disagreement(what: "an exclusive one was modified") }
            live[token]!.arm(events)
        } catch Errno.invalidArgument where live[token]!.events.contains(.exclusive) {}
    }

    private mutating func pause() throws {
        guard let token = pick() else { return }
        try set.pause(token)
        live[token]!.state = .paused
    }

    private mutating func resume() throws {
        guard let token = pick() else { return }
        try set.resume(token)
        if live[token]!.state == .paused {
            live[token]!.state = .armed
            live[token]!.hasEdge = true
        }
    }

    private mutating func move() {
        guard let token = pick() else { return }
        live[token]!.move(&generator)
    }

    private mutating func remove() throws {
        guard let token = pick(), let member = live.removeValue(forKey: token) else { return }
        dead.insert(token)
        if Bool.random(using: &generator) { try set.close(token) } else { try set.remove(token).close() }
        strays.append(member.duplicate)
        if member.peer >= 0 { close(member.peer) }
        for use in [set.close, set.pause, set.resume] {
            do {
                try use(token)
                throw Disagreement(what: "a dead token was taken")
            } catch Errno.noSuchFileOrDirectory {}
        }
    }

    /// Closes a number behind the set's back, alone or by putting another file there, which the set must let live.
    private mutating func tamper() throws {
        guard let token = pick(), let member = live.removeValue(forKey: token) else { return }
        dead.insert(token)
        strays.append(member.duplicate)
        if member.peer >= 0 { close(member.peer) }
        let number = CInt(token.number)
        closeBehindItsBack(number)
        // A counter that gets the number of a counter could not be told from it in a child.
        if !member.isCounter && Bool.random(using: &generator) {
            closed.insert(token)
            return
        }
        guard Bool.random(using: &generator) else {
            do {
                try set.close(token)
                throw Disagreement(what: "a closed number was closed")
            } catch is Errno { return }
        }
        let other = open("/dev/null", O_RDONLY | O_CLOEXEC)
        if other != number {
            dup2(other, number)
            close(other)
        }
        do {
            try set.close(token)
            throw Disagreement(what: "a stranger's number was closed")
        } catch is Errno {}
        guard fcntl(number, F_GETFD) != -1 else { throw Disagreement(what: "a stranger was closed") }
        close(number)
    }

    /// What was closed a while ago is found out, and whoever has its number by now keeps it.
    private mutating func useClosed() throws {
        guard let token = closed.sorted(by: { $0.life < $1.life }).randomElement(using: &generator) else { return }
        closed.remove(token)
        let isOpen = fcntl(CInt(token.number), F_GETFD) != -1
        do {
            try set.close(token)
            throw Disagreement(what: "a number that was closed was closed again")
        } catch is Errno {}
        guard isOpen == (fcntl(CInt(token.number), F_GETFD) != -1) else {
            throw Disagreement(what: "a stranger was closed")
        }
    }

    /// A set that is made anew reports what a fresh one does, no more and no less.
    private mutating func rebuild() throws {
        while set.nextEvent() != nil {}
        set.base.mustRebuild = true
        set.base.rebuildAllowedAt = 0
        for token in live.keys { live[token]!.hasEdge = true }
        let expected = try fresh()
        let reported = try batch()
        guard reported == expected else {
            throw Disagreement(what: "anew: \(describe(reported)); a fresh set: \(describe(expected))")
        }
        while set.nextEvent() != nil {}
    }

    /// What a child hears is what a fresh set tells it; its parent's set is as it was.
    private mutating func fork() throws {
        let child = forkProcess()
        if child == 0 {
            while set.nextEvent() != nil {}
            guard let expected = try? fresh(), let reported = try? batch() else { _exit(1) }
            _exit(reported == expected && set.count == live.count && set.incidents.forks == 1 ? 0 : 2)
        }
        let status = exitStatus(of: child)
        guard status == 0 else { throw Disagreement(what: "the child ended with \(status)") }
    }

    // MARK: Judging

    /// Waits, compares what is reported with the model, and takes some or all of it, with other steps between.
    private mutating func wait() throws {
        guard set.base.next == set.base.end else { return try take() }
        let reported = try batch()
        for (token, events) in reported {
            guard let member = live[token], member.state != .paused else {
                throw Disagreement(what: "\(token.number) is reported and should be silent")
            }
            let ready = member.ready
            guard !events.isEmpty, ready.isSuperset(of: events),
                member.events.contains(.edgeTriggered) || events == ready
            else { throw Disagreement(what: "\(member) is reported for \(events.rawValue)") }
        }
        for (token, member) in live where member.mustSpeak && reported[token] == nil {
            throw Disagreement(what: "\(member) is not reported")
        }
        try take()
    }

    private mutating func take() throws {
        while set.base.next < set.base.end {
            let life = EpollEvent(set.base.buffer.storage[set.base.next]).token
            if Int.random(in: 0..<6, using: &generator) == 0 {
                switch Int.random(in: 0..<5, using: &generator) {
                case 0: try modify()
                case 1: try pause()
                case 2: try remove()
                case 3: try insert()
                default: move()
                }
            }
            if Int.random(in: 0..<20, using: &generator) == 0 { return }
            let due = live.first { $0.key.life == life && $0.value.state != .paused }?.key
            guard let due else {
                // This one is passed over, and the next that speaks is taken.
                let remaining = set.base.end - set.base.next
                let event = set.nextEvent()
                if let event, !closed.contains(event.token), live[event.token].map({ $0.state != .paused }) != true {
                    throw Disagreement(what: "\(event.token.number) was delivered (\(remaining))")
                }
                continue
            }
            guard let event = set.nextEvent(), event.token == due else {
                throw Disagreement(what: "\(due.number) was not delivered")
            }
        }
    }

    /// Waits once; what is in the batch of live descriptors, and what the kernel has done to them by that.
    private mutating func batch() throws -> [InterestToken: EpollEvents] {
        _ = try set.wait(timeout: .zero)
        var reported: [InterestToken: EpollEvents] = [:]
        for index in set.base.next..<set.base.end {
            let event = EpollEvent(set.base.buffer.storage[index])
            guard let token = live.keys.first(where: { $0.life == event.token }) else { continue }
            reported[token] = event.events
        }
        defer {
            for token in reported.keys {
                live[token]!.hasEdge = false
                if live[token]!.events.contains(.oneShot) { live[token]!.state = .fired }
            }
        }
        return reported
    }

    /// What a set made this moment reports of the armed ones, watched by their second descriptors.
    private func fresh() throws -> [InterestToken: EpollEvents] {
        let epoll = try Epoll()
        let buffer = EpollEventBuffer(capacity: 256)
        let tokens = Array(live.keys)
        for (index, token) in tokens.enumerated() where live[token]!.state == .armed {
            try epoll.add(
                BorrowedDescriptor(rawValue: live[token]!.duplicate), live[token]!.events, token: UInt64(index))
        }
        let count = try epoll.wait(into: buffer, timeout: .zero)
        let pairs = (0..<count).map { (tokens[Int(buffer[$0].token)], buffer[$0].events) }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    private func describe(_ reported: [InterestToken: EpollEvents]) -> String {
        reported.keys.map { "\($0.number) \(live[$0]!)" }.sorted().joined(separator: "; ")
    }
}
