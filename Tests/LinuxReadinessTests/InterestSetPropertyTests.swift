import CBenchExtras
import CSocketExtras
import Glibc
import LinuxDescriptors
import SystemPackage
import TestSupport
import Testing

@testable import LinuxReadiness

/// Thousands of random steps against a plain model: what is in the set, and what each counter holds.
@Suite(.enabled(if: descriptorTablesAvailable, whyNoTables)) struct InterestSetPropertyTests {
    /// In a process of its own, because it forks, and in a table of its own, because it closes numbers behind the set's
    /// back, which Dispatch could get.
    @Test(arguments: [1, 2, 3] as [UInt64]) func agreesWithAPlainModel(seed: UInt64) async {
        switch seed {
        case 1: await #expect(processExitsWith: .success) { try walk(seed: 1) }
        case 2: await #expect(processExitsWith: .success) { try walk(seed: 2) }
        default: await #expect(processExitsWith: .success) { try walk(seed: 3) }
        }
    }
}

private func walk(seed: UInt64) throws {
    try withOwnDescriptorTable { try RandomWalk.run(seed: seed, steps: 3000) }
}

/// The set under test, its model, and the steps.
struct RandomWalk: ~Copyable {
    private struct Counter {
        var value: UInt64
        /// Another descriptor of the same description, which outlives the set's.
        var duplicate: CInt
        var trigger: Trigger
        /// One-shot: armed. Edge-triggered: signalled or modified since it was heard of.
        var isDue = true

        /// An edge-triggered counter may be heard of without being due: a set that is made anew reports every state.
        var maySpeak: Bool { value > 0 && (isDue || trigger == .edge) }
        var mustSpeak: Bool { value > 0 && isDue }

        mutating func wasHeard() { if trigger != .level { isDue = false } }
    }

    private enum Trigger: CaseIterable {
        case level, edge, oneShot

        var events: EpollEvents {
            switch self {
            case .level: .readable
            case .edge: [.readable, .edgeTriggered]
            case .oneShot: [.readable, .oneShot]
            }
        }
    }

    private var set: InterestSet
    private var live: [InterestToken: Counter] = [:]
    private var dead: Set<InterestToken> = []
    private var strays: [CInt] = []
    private var children: [pid_t] = []
    private var generator: SeededGenerator
    /// Always ready, so that no wait is for ever.
    private let beacon: InterestToken

    static func run(seed: UInt64, steps: Int) throws {
        var walk = try RandomWalk(seed: seed)
        for step in 0..<steps {
            do {
                try walk.step()
                try walk.check()
            } catch {
                print("seed \(seed), step \(step): \(error)")
                throw error
            }
        }
        walk.endChildren()
    }

    private init(seed: UInt64) throws {
        var set = try InterestSet(capacity: 256)
        beacon = try set.insert(EventFD(count: 1).release(), .readable)
        self.set = set
        generator = SeededGenerator(state: seed)
    }

    private struct Disagreement: Error { let what: String }

    private mutating func pick() -> InterestToken? {
        live.keys.sorted { $0.rawValue < $1.rawValue }.randomElement(using: &generator)
    }

    private mutating func step() throws {
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<25 where live.count < 60: try insert()
        case 25..<35: try modify()
        case 0..<60: signal()
        case 60..<75: drain()
        case 75..<92: try remove()
        case 92..<97: try tamper()
        case 97..<99: stray()
        default: fork()
        }
    }

    private mutating func insert() throws {
        let pair = try SharedCounter.make()
        let trigger = Trigger.allCases.randomElement(using: &generator)!
        let token = try set.insert(owned(pair.descriptor), trigger.events)
        if dead.contains(token) || live[token] != nil { throw Disagreement(what: "a token was given twice") }
        live[token] = Counter(value: 0, duplicate: pair.duplicate, trigger: trigger)
    }

    /// Modifying arms, whatever was there before.
    private mutating func modify() throws {
        guard let token = pick() else { return }
        let trigger = Trigger.allCases.randomElement(using: &generator)!
        try set.modify(token, trigger.events)
        live[token]!.trigger = trigger
        live[token]!.isDue = true
    }

    private mutating func signal() {
        guard let token = pick() else { return }
        add(1, to: live[token]!.duplicate)
        live[token]!.value += 1
        if live[token]!.trigger == .edge { live[token]!.isDue = true }
    }

    private mutating func drain() {
        guard let token = pick(), live[token]!.value > 0 else { return }
        take(CInt(token.number))
        live[token]!.value = 0
    }

    private mutating func remove() throws {
        guard let token = pick(), let counter = live.removeValue(forKey: token) else { return }
        dead.insert(token)
        let descriptor = try set.remove(token)
        // Ready when removed: were it still registered, it would be heard of.
        add(1, to: descriptor.descriptor.rawValue)
        strays.append(counter.duplicate)
        if Bool.random(using: &generator) { strays.append(descriptor.release().rawValue) }
    }

    /// Closes a number behind the set's back, and does one of the things by which the set learns of it.
    private mutating func tamper() throws {
        guard let token = pick(), let counter = live.removeValue(forKey: token) else { return }
        dead.insert(token)
        add(1, to: counter.duplicate)
        strays.append(counter.duplicate)
        let number = CInt(token.number)
        if Bool.random(using: &generator) {
            closeBehindItsBack(number)
            do {
                try set.close(token)
                throw Disagreement(what: "a closed number was removed")
            } catch is Errno {}
        } else {
            let pair = try SharedCounter.make()
            dup2(pair.descriptor, number)
            close(pair.descriptor)
            let new = try set.insert(owned(number), .readable)
            live[new] = Counter(value: 0, duplicate: pair.duplicate, trigger: .level)
        }
    }

    /// Closes a duplicate that outlived its registration.
    private mutating func stray() {
        guard let index = strays.indices.randomElement(using: &generator) else { return }
        close(strays.remove(at: index))
    }

    /// A child holds what is live for a while.
    private mutating func fork() {
        if children.count > 3 { endChildren() }
        var ends: [CInt] = [0, 0]
        guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            return
        }
        let kept = live.keys.map { CInt($0.number) }
        let child = c_fork_holder(ends[1], kept, CInt(kept.count))
        close(ends[1])
        var byte: UInt8 = 0
        _ = read(ends[0], &byte, 1)
        strays.append(ends[0])
        if child > 0 { children.append(child) }
    }

    private mutating func endChildren() {
        for child in children {
            kill(child, SIGKILL)
            _ = exitStatus(of: child)
        }
        children = []
    }

    /// Every event is of what is live and may speak, and everything that is live and must speak has one.
    private mutating func check() throws {
        var heard: Set<InterestToken> = []
        _ = try set.wait()
        while let event = set.nextEvent() {
            if event.token == beacon { continue }
            guard let counter = live[event.token] else {
                throw Disagreement(what: "an event of a former life was delivered")
            }
            guard counter.maySpeak else { throw Disagreement(what: "an event of a \(counter)") }
            heard.insert(event.token)
            // What handling an event does to others whose events are in the same batch.
            guard Int.random(in: 0..<10, using: &generator) == 0 else { continue }
            try remove()
            try insert()
        }
        let due = Set(live.filter { $0.value.mustSpeak }.keys)
        guard heard.isSuperset(of: due) else {
            throw Disagreement(what: "did not hear \(due.subtracting(heard).count) of \(due.count) counters")
        }
        for token in heard { live[token]?.wasHeard() }
        guard set.count == live.count + 1 else { throw Disagreement(what: "the set holds \(set.count)") }
    }
}
