extension Experiment {
    /// Scripts of two threads, step by step.
    static let scripts: [Experiment] = [
        acceptETSpurious, acceptETStarvation, readLTSplit, readExclusiveSplit, readETSplit, readOneShotWhole,
        acceptExclusiveFlags,
    ]
}
