/// What became of datagrams that clients sent: each was received or is lost.
package struct DatagramCounts: Sendable, Equatable, Codable {
    /// How long an answer is waited for.
    package static let patienceNanoseconds: UInt64 = 200_000_000

    /// Those that were sent.
    package var sent: UInt64 = 0
    /// Those whose answer came in time.
    package var received: UInt64 = 0
    /// Those without an answer in time.
    package var lost: UInt64 = 0
    /// Answers that came after that of a datagram which was sent later.
    package var reordered: UInt64 = 0
    /// Answers of datagrams that were given up or answered already.
    package var late: UInt64 = 0
    /// Those that were due in the window, and those of them that are lost.
    package var dueInWindow: UInt64 = 0
    package var lostInWindow: UInt64 = 0

    package init() {}

    /// Adds what another thread counted.
    package mutating func add(_ other: DatagramCounts) {
        sent += other.sent
        received += other.received
        lost += other.lost
        reordered += other.reordered
        late += other.late
        dueInWindow += other.dueInWindow
        lostInWindow += other.lostInWindow
    }
}
