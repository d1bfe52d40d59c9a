package import Meters

/// Which process of how many this one is, as the engine that launched it says in the environment.
package struct LauncherPlace: Sendable, Equatable {
    /// The number of the process, from 0.
    package var rank: Int
    /// How many there are; nil where the engine does not say so.
    package var size: Int?
    /// The variable that says the number.
    package var variable: String

    /// A variable with the number, the first number, and variables with the count.
    private struct Engine {
        let rank: String
        var first = 0
        var sizes: [String] = []
    }

    /// Of engines within each other the inner one comes first: `mpirun` starts its daemons with Slurm's `srun`, so that
    /// `SLURM_PROCID` is then the daemon's.
    private static let engines = [
        // mpirun of Open MPI
        Engine(rank: "OMPI_COMM_WORLD_RANK", sizes: ["OMPI_COMM_WORLD_SIZE"]),
        // mpiexec of MPICH and Intel MPI
        Engine(rank: "PMI_RANK", sizes: ["PMI_SIZE"]),
        Engine(rank: "PMIX_RANK"),
        // srun; a job may have more tasks than one of its steps
        Engine(rank: "SLURM_PROCID", sizes: ["SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"]),
        // An Indexed Job of Kubernetes
        Engine(rank: "JOB_COMPLETION_INDEX"),
        // GNU parallel, which counts from 1
        Engine(rank: "PARALLEL_SEQ", first: 1),
    ]

    /// Reads the variables; nil if there are none.
    ///
    /// - Throws: one line for a variable that is no number.
    package init?(_ environment: [String: String]) throws(RunError) {
        guard let engine = Self.engines.first(where: { environment[$0.rank] != nil }) else { return nil }
        variable = engine.rank
        rank = try Self.number(engine.rank, environment, from: engine.first) - engine.first
        if let name = engine.sizes.first(where: { environment[$0] != nil }) {
            size = try Self.number(name, environment, from: 1)
        }
    }

    private static func number(
        _ name: String, _ environment: [String: String], from first: Int
    ) throws(RunError) -> Int {
        let text = environment[name] ?? ""
        guard let number = Int(text), (first...1 << 20).contains(number) else {
            throw RunError(failed: "\(name) is '\(text)' and no number of a process; give --rank")
        }
        return number
    }
}
