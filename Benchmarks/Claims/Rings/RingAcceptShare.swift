import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage

/// Which of four rings gets the connections of one listener: 40 clients connect one after the other, each when the one
/// before has been accepted.
///
/// 1. idle: every ring is looked at after each client.
/// 2. busy: the first ring is looked at only when all clients have connected, as if its thread were at work all the time.
///
/// Rings with a single accept queue it anew for each connection. All rings are one thread's, which makes the order that of
/// the kernel's wait queue and nothing else.
let ringAcceptShare = Experiment(
    id: "uring-multishot-accept-share",
    statement: "multishot accept on a shared listener gives every connection to one ring, however busy; single accepts "
        + "take turns",
    source: .observation, needs: [.multishotAccept], descriptors: 80,
    keys: ["multishot_idle", "multishot_busy", "single_idle", "single_busy"],
    observe: {
        [
            "multishot_idle": Observed.Datum.list(try acceptShares(isMultishot: true, isFirstBusy: false), "/"),
            "multishot_busy": Observed.Datum.list(try acceptShares(isMultishot: true, isFirstBusy: true), "/"),
            "single_idle": Observed.Datum.list(try acceptShares(isMultishot: false, isFirstBusy: false), "/"),
            "single_busy": Observed.Datum.list(try acceptShares(isMultishot: false, isFirstBusy: true), "/"),
        ]
    },
    judge: { observed in
        func shares(_ key: String) -> [Double] { observed[key].elements.map(\.number) }
        func goToOne(_ key: String) -> Bool { shares(key).count(where: { $0 > 0 }) == 1 }
        func takeTurns(_ shares: some Collection<Double>) -> Bool {
            guard let least = shares.min(), let most = shares.max() else { return false }
            return most - least <= 1
        }
        return .init(
            parts: [
                goToOne("multishot_idle"), goToOne("multishot_busy"), takeTurns(shares("single_idle")),
                takeTurns(shares("single_busy").dropFirst()),
            ])
    },
    explain: {
        "Of 40 connections the rings get \($0["multishot_idle"]) with a multishot accept each, "
            + "\($0["multishot_busy"]) when the first is busy; with single accepts \($0["single_idle"]) and "
            + "\($0["single_busy"])."
    })

private final class AcceptingRing {
    var ring: Ring
    let isMultishot: Bool
    var accepted = 0

    init(isMultishot: Bool) throws(Errno) {
        ring = try Ring.forThisThread(entries: 8, completions: 128)
        self.isMultishot = isMultishot
    }

    func arm(on listener: borrowing Listener) throws(Errno) {
        if isMultishot {
            try ring.prepareMultishotAccept(on: listener.descriptor, token: 1)
        } else {
            try ring.prepareAccept(on: listener.descriptor, token: 1)
        }
        try ring.submit()
    }

    /// Takes what has completed, and closes it; arms what has ended.
    func look(_ listener: borrowing Listener) throws(Errno) {
        while try ring.submitAndWait(timeout: .zero) {
            while let completion = ring.nextCompletion() {
                let isArmed = completion.isArmed
                try completion.takeDescriptor().close()
                accepted += 1
                if !isArmed { try arm(on: listener) }
            }
        }
    }
}

private func acceptShares(isMultishot: Bool, isFirstBusy: Bool) throws -> [Int] {
    // A ring waits by itself: of a nonblocking listener it would say EAGAIN.
    let socket = try StreamSocket(for: .loopback(), .blocking)
    try setSocketOption(.resetOnClose, on: socket.descriptor)
    try socket.bind(to: .loopback())
    let listener = try socket.listen(backlog: 128)
    let address = try listener.address
    var rings: [AcceptingRing] = []
    for _ in 0..<4 { rings.append(try AcceptingRing(isMultishot: isMultishot)) }
    for ring in rings { try ring.arm(on: listener) }
    var clients: [Shared<Connection>] = []
    for _ in 0..<40 {
        let before = rings.reduce(0) { $0 + $1.accepted }
        clients.append(Shared(try connectBounded(to: address)))
        // The busy one may have this connection: then nobody else does, and the queue holds it.
        for _ in 0..<(isFirstBusy ? 20 : 10_000) {
            for ring in rings.dropFirst(isFirstBusy ? 1 : 0) { try ring.look(listener) }
            if rings.reduce(0, { $0 + $1.accepted }) > before { break }
        }
    }
    try Patience.until("every connection is accepted") {
        for ring in rings { try ring.look(listener) }
        return rings.reduce(0) { $0 + $1.accepted } == clients.count
    }
    return rings.map(\.accepted)
}
