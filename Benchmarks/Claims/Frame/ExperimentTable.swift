extension Experiment {
    /// Every experiment, in the order in which they run and are printed.
    package static let all: [Experiment] =
        wakeups + scripts + accepting + reusePort + order + lifetime + rings + waiting + eventFD
        + scale

    package static func named(_ id: String) -> Experiment? { all.first { $0.id == id } }

    static let wakeups = acceptWakeups + [nestedWakeups]
    static let scripts = [
        acceptETSpurious, acceptETStarvation, readLTSplit, readExclusiveSplit, readETSplit, readOneShotWhole,
        acceptExclusiveFlags, writeETAgain,
    ]

    static let accepting = acceptBalance + [acceptOneShotSerial, accept40k]

    static let reusePort = [
        reuseportCloseLoss, reuseportCloseMigrate, reuseportClassicSteer, reuseportProgramSteer,
        reuseportIncomingSteer,
        reuseportProgramMigrate, reuseportDrain, reuseportRestart,
    ]

    static let order = readOrder + [readCombinedQueue] + ringPingPong
    static let scale = [scaleWaitCost, epollWatchMemory, epollWatchLimit, epollWatchRefusal]

    static let lifetime =
        [
            lifeDupCloseGhost, lifeRemoveAfterClose, lifeRebuildCures, lifeRemoveBeforeClose, lifeLastCloseRemoves,
            lifeForkGhost, lifeForkRemedies, lifeForkTellApart, lifeGenerationDetects, lifeRebuildCost,
            lifeGenerationExhaustion, lifeDup2Cure, lifePidfdCure, lifePollClosed,
        ] + lifeHangup

    static let rings = [
        ringClosePendingAccept, ringClosePendingReceive, ringCancelByClosedDescriptor, ringCancelByToken, ringFork,
        ringPollWakeups, ringMultishotOverflow, ringDirectCloseDelay, ringDirectCloseOrder, ringSubmitterEnds,
        ringOverflowKeeps, ringOverflowEndsMultishot, ringAcceptShare, ringAcceptDescriptors, ringEpollWait,
        ringSharedCost, ringPollerCost, ringZeroCopySend, ringReceiveNoBuffer, ringReceiveStarves, ringReceiveBundles,
        ringReceiveIncremental,
    ]

    static let waiting = [
        ringTaskRun, ringRegisteredDescriptor, ringMinimumWait, epollLateness, busyPollLoopback,
    ]

    static let eventFD = [
        eventFDCoalesces, eventFDOverflow, eventFDSemaphore, eventFDSemaphoreET, eventFDFirstReaderWins,
        eventFDEveryWrite, eventFDVersusPipe, eventFDPoolDoubleClose, eventFDMillion,
    ]
}
