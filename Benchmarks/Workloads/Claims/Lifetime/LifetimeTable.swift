extension Experiment {
    /// The life of a registration.
    static let lifetime: [Experiment] = [
        lifeDupCloseGhost, lifeRemoveAfterClose, lifeRebuildCures, lifeRemoveBeforeClose, lifeLastCloseRemoves,
        lifeForkGhost, lifeForkRemedies, lifeForkTellApart, lifeGenerationDetects, lifeRebuildCost,
        lifeGenerationExhaustion, lifeDup2Cure, lifePidfdCure, lifePollClosed,
    ]
}
