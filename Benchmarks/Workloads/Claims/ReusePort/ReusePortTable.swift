extension Experiment {
    /// Listeners that share a port.
    static let reusePort: [Experiment] = [
        reuseportCloseLoss, reuseportCloseMigrate, reuseportClassicSteer, reuseportProgramSteer,
        reuseportProgramMigrate, reuseportDrain, reuseportRestart,
    ]
}
