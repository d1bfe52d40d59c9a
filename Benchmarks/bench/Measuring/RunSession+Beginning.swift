import Foundation
import Meters
import Records
import Loops
import Runs
import Servers

extension RunSession {
    /// Begins an invocation in a new folder; `arguments`, for `run.json`, would make the same plans again.
    convenience init(
        _ options: RunOptions, seed given: UInt64? = nil,
        arguments: [String] = Array(CommandLine.arguments.dropFirst())
    ) throws {
        let seed = given ?? options.seed ?? freshSeed()
        var machine = MachineFacts.read()
        let arms = try Arms(options, seed: seed).checked(machine, keepsRefused: options.only != nil)
        // Of load hosts each has its own.
        machine.link = arms.plans.lazy.filter { $0.loadHosts == nil }.compactMap(\.serverAddress).first
            .flatMap { NetworkLink(reaching: $0) }
        let interruption = try Interruption(endsAtSecondSignal: true)
        let started = Date()
        let folder = try ResultFolder(
            path: options.output ?? ResultFolder.freshName(builtCommit, at: started), startedAt: started)
        var description = RunDescription(
            schemaVersion: RunRecord.currentSchemaVersion, startedAt: started.formatted(.iso8601),
            arguments: arguments, seed: seed, build: Build.name, gitCommit: builtCommit, machine: machine, order: [],
            warnings: [], doctor: Self.doctor(arms.plans, rounds: options.rounds), interrupted: false)
        description.serverMachine = arms.plans.first?.agent?.facts.machine
        try folder.replace("run.json", description.storedJSON())
        self.init(options, arms, folder, description, started: started, interruption)
    }

    /// Goes on with an interrupted invocation. What it ran before and what it runs now must be comparable.
    convenience init(resuming path: String, quiet: Bool) throws {
        var description = try RunDescription.read(folder: path)
        let machine = MachineFacts.read()
        guard description.machine.machineID == machine.machineID else {
            throw Failure(
                .noBaseline, "\(path) was begun on \(description.machine.machineID), this is \(machine.machineID)")
        }
        guard description.gitCommit == builtCommit, description.build == Build.name else {
            throw Failure(
                .usage,
                "\(path) was begun with the \(description.build) build of \(description.gitCommit), this is the "
                    + "\(Build.name) build of \(builtCommit); begin anew")
        }
        var options = try RunOptions.stored(description)
        (options.output, options.quiet) = (path, quiet)
        let arms = try Arms(options, seed: description.seed).checked(machine)
        let begun = try ResultFolder(resuming: path)
        if let agent = arms.plans.first?.agent?.facts.machine.machineID,
            let other = begun.rows.first(where: { $0.serverMachineId != agent })
        {
            throw Failure(.noBaseline, "\(path) was begun with servers on \(other.serverMachineId), this is \(agent)")
        }
        let interruption = try Interruption(endsAtSecondSignal: true)
        description.order = []
        let started = Timestamp(description.startedAt).map { Date(timeIntervalSince1970: $0.secondsSince1970) }
        self.init(
            options, arms, begun, description, started: started ?? Date(), interruption)
    }

    /// What would spoil these runs. Others are watched before the load begins, for 0.2 s, which are 20 ticks; a single
    /// run, as a comparison starts many of, has its own `foreign_cpu`.
    private static func doctor(_ plans: [RunPlan], rounds: Int) -> [Diagnosis] {
        let isSingle = plans.count * rounds == 1
        var state = MachineState.read(watchingFor: isSingle ? nil : 0.2)
        state.ringRefusal = RingSupport.probe().refusal
        if !isSingle { state.tryCallCounter() }
        let places = plans.filter { $0.agent == nil }.map(\.placement.description)
        state.pinning = places.contains("none") ? "none" : places.first
        state.workerProcessors = Set(plans.flatMap(\.placement.workers))
        if !isSingle { state.links = NetworkLink.all() }
        return Diagnosis.all(state, build: Build.name)
    }
}
