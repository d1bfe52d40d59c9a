extension Experiment {
    /// Counters that signal.
    static let eventFD: [Experiment] = [
        eventFDCoalesces, eventFDOverflow, eventFDSemaphore, eventFDSemaphoreET, eventFDFirstReaderWins,
        eventFDEveryWrite, eventFDVersusPipe, eventFDPoolDoubleClose, eventFDMillion,
    ]
}
