/// How a wait ended that a signal can end: ``Epoll/waitInterruptibly(into:timeout:blocked:)``,
/// ``InterestSet/waitInterruptibly(timeout:blocked:)``.
@frozen public enum WaitOutcome: Sendable, Hashable {
    /// So many events are there to be taken, at least one.
    case events(Int)
    /// The time is over and nothing happened.
    case timedOut
    /// A signal came first (`EINTR`): its handler has run. The process may also have been stopped and continued.
    case interrupted
}
