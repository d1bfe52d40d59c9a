extension InterestSet {
    /// What went wrong with a set, counted. All but ``Incidents/staleEvents`` and ``Incidents/forks`` say that a
    /// descriptor was closed, or duplicated and closed, behind the set's back.
    @frozen public struct Incidents: Sendable, Hashable {
        /// Events of registrations that outlived their descriptors.
        public internal(set) var ghosts: UInt64 = 0
        /// Events of descriptors that were removed or paused after the wait that brought the event: ordinary, and
        /// dropped.
        public internal(set) var staleEvents: UInt64 = 0
        /// Descriptors that were found to be closed, or their numbers somebody else's.
        public internal(set) var lostDescriptors: UInt64 = 0
        /// Forks that were noticed, in the child.
        public internal(set) var forks: UInt64 = 0
        /// Times the kernel's set was made anew.
        public internal(set) var rebuilds: UInt64 = 0
        /// Times it could not be, for want of descriptors, watches or memory, and ghosts stayed for the time being.
        public internal(set) var failedRebuilds: UInt64 = 0

        init() {}
    }
}
