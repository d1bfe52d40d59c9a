/// How a wait for completions ended (``Ring/submitAndWait(for:upTo:signals:)``).
@frozen public struct RingWait: Sendable, Hashable {
    /// Why a wait ended.
    @frozen public enum End: Sendable, Hashable {
        /// As many completions are ready as were waited for.
        case enough
        /// The time is over.
        case timeout
        /// A signal came (`EINTR`), or the kernel ended the wait as it does when a timeout request of the ring expires,
        /// whose completion may not be there yet. Both before the time was over and with fewer completions than were
        /// waited for.
        case interrupted
    }

    /// Why it ended.
    public let end: End
    /// How many completions are ready, which may be more than were waited for.
    public let ready: UInt32

    @usableFromInline init(_ end: End, ready: UInt32) {
        self.end = end
        self.ready = ready
    }
}
