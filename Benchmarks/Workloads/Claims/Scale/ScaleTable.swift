extension Experiment {
    /// What waiting costs.
    static let scale: [Experiment] = [scaleWaitCost]
}
