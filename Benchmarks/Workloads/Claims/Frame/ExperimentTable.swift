extension Experiment {
    /// Every experiment, in the order in which they run and are printed. Each group has a table of its own, in the
    /// folder with its experiments.
    public static let all: [Experiment] =
        wakeups + scripts + accepting + reusePort + order + lifetime + rings + eventFD + scale

    /// The experiment of that name.
    public static func named(_ id: String) -> Experiment? { all.first { $0.id == id } }
}
