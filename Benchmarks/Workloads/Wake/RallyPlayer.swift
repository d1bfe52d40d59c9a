import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import Meters
import SystemPackage

/// One thread of a ping-pong: prepares what the mode waits with, and runs its loop.
struct RallyPlayer: Sendable {
    let plan: RunPlan
    let wake: WakePlan
    let mine: WakeChannel
    let partner: WakeChannel
    let state: RallyState
    let leads: Bool
    let meter: WorkerMeter

    /// Plays until the leading side ends it.
    ///
    /// - Parameter ready: called when the side can be woken; returns when the ping-pong may begin, with its window.
    /// - Returns: the round trips, if this side leads.
    func play(ready: () -> RunWindow) throws(Errno) -> LatencyRecorder {
        let drains = !wake.signal.readTakesAll
        switch plan.mode.mechanism {
        case .blocking where wake.signal == .futex:
            return try rally(ready) { (side) throws(Errno) in
                try rallyOnFutex(mine.futexWord, partner.futexWord, side)
            }
        case .blocking:
            return try rally(ready) { (side) throws(Errno) in
                if plan.implementation == .c {
                    try side.referenceRead(mine.input, partner.output)
                } else {
                    try rallyInRead(mine.input, partner.output, side)
                }
            }
        case .select:
            var set = try SelectSet(stop: mine.input.rawValue, listeners: [], connections: [])
            return try rally(ready) { (side) throws(Errno) in
                try rallyInSelect(&set, mine.input, partner.output, side)
            }
        case .poll:
            var set = PollSet(stop: mine.input.rawValue, listeners: [], connections: [], capacity: 0)
            return try rally(ready) { (side) throws(Errno) in
                try rallyInPoll(&set, mine.input, partner.output, side)
            }
        case .epoll(let flags, let modeDrains):
            let epoll = try set(flags)
            let events = EpollEventBuffer(capacity: 1)
            return try rally(ready) { (side) throws(Errno) in
                if plan.implementation == .c {
                    try side.referenceEpoll(epoll, mine.input, partner.output, drains: drains && modeDrains)
                } else {
                    try rallyInEpoll(
                        epoll, events, mine.input, partner.output, drains: drains && modeDrains, side)
                }
            }
        case .epollOneShot:
            let epoll = try set(oneShotFlags)
            let events = EpollEventBuffer(capacity: 1)
            return try rally(ready) { (side) throws(Errno) in
                try rallyInOneShot(epoll, events, mine.input, partner.output, side)
            }
        case .ringSingle:
            var ring = try Ring.forThisThread(entries: 8)
            if wake.signal == .messageRing { return try rallyMessages(&ring, ready) }
            return try rally(ready) { (side) throws(Errno) in
                try rallyInRingRead(&ring, mine, partner.output, side)
            }
        case .ringPoll:
            var ring = try Ring.forThisThread(entries: 8)
            try ring.prepareMultishotPoll(mine.input, .readable, token: messageToken)
            try ring.submit()
            return try rally(ready) { (side) throws(Errno) in
                try rallyInRingPoll(&ring, mine.input, partner.output, drains: drains, side)
            }
        case .dispatcher, .ringMultishot: throw .notSupported
        }
    }

    /// Runs a loop from the first signal to the last.
    private func rally(
        _ ready: () -> RunWindow, _ loop: (borrowing RallySide) throws(Errno) -> Void
    ) throws(Errno) -> LatencyRecorder {
        let side = side(ready())
        if leads {
            side.begin()
            partner.wakeFromOutside()
        }
        try loop(side)
        if leads { partner.wakeFromOutside() }
        if leads { state.pauseAtEnd.relaxed = side.pauseAtEnd }
        state.deposit(side.oneWay.recorder)
        return side.roundTrips.recorder
    }

    /// Like ``rally(_:_:)``, with signals that only a ring can send.
    private func rallyMessages(_ ring: inout Ring, _ ready: () -> RunWindow) throws(Errno) -> LatencyRecorder {
        mine.ring = ring.descriptor
        let side = side(ready())
        if leads {
            side.begin()
            try ring.prepareMessage(to: partner.ring, messageToken: messageToken, .skipSuccess, token: 0)
        }
        try rallyInMessages(&ring, partner, side)
        if leads {
            try ring.prepareMessage(to: partner.ring, messageToken: messageToken, .skipSuccess, token: 0)
            try ring.submit()
        }
        if leads { state.pauseAtEnd.relaxed = side.pauseAtEnd }
        state.deposit(side.oneWay.recorder)
        return side.roundTrips.recorder
    }

    private func side(_ window: RunWindow) -> RallySide {
        RallySide(state, leads: leads, window, meter)
    }

    private func set(_ flags: EpollEvents) throws(Errno) -> Epoll {
        let epoll = try Epoll()
        try epoll.add(mine.input, flags.union(.readable), token: UInt64(mine.input.rawValue))
        return epoll
    }
}
