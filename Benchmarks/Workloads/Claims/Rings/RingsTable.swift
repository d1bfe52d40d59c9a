extension Experiment {
    /// The same questions put to io_uring.
    static let rings: [Experiment] = [
        ringClosePendingAccept, ringClosePendingReceive, ringCancelByClosedDescriptor, ringCancelByToken, ringFork,
        ringPollWakeups, ringMultishotOverflow, ringDirectCloseDelay, ringDirectCloseOrder,
    ]
}
