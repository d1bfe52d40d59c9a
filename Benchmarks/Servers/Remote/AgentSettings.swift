package import Loops
package import Meters

/// What an agent's own command line decides.
package struct AgentSettings: Sendable {
    /// What coordinators must know.
    package var secret: AgentSecret
    /// What they must speak.
    package var version: AgentVersion
    /// Where servers listen, numeric; nil for the address that the coordinator has connected to.
    package var address: String?
    /// The commands that coordinators may start, by name.
    package var commands: [Command] = []
    /// What it says of itself; the address and the servers are filled in.
    package var facts: AgentFacts
    /// Why this machine cannot run a plan; nil if it can.
    package var refuses: @Sendable (ServerPlan, Traffic) -> RunError? = { _, _ in nil }
    /// Takes a line for the user.
    package var log: @Sendable (String) -> Void = { _ in }

    /// A command of the shell, as ``ExternalServer`` has it.
    package struct Command: Sendable {
        /// What coordinators call it.
        package var name: String
        /// What the shell runs.
        package var text: String

        /// Takes both.
        package init(_ name: String, _ text: String) { (self.name, self.text) = (name, text) }
    }

    /// An agent that starts our loops and no command.
    package init(_ secret: AgentSecret, _ version: AgentVersion, _ facts: AgentFacts) {
        (self.secret, self.version, self.facts) = (secret, version, facts)
    }

    /// What it says of itself to a coordinator.
    ///
    /// - Parameter host: the address that it has connected to.
    func facts(at host: String) -> AgentFacts {
        var facts = facts
        facts.address = address ?? host
        facts.servers = commands.map { AllowedServer(name: $0.name, takesWorkers: $0.text.contains("{workers}")) }
        return facts
    }
}

extension AgentFacts {
    /// Of this machine; counts some system calls to see who can.
    package static func ofThisMachine(commit: String, build: String) -> AgentFacts {
        var facts = AgentFacts(
            machine: .read(), commit: commit, build: build, address: "", processors: Affinity.available(), servers: [])
        do throws(CallCounterRefusal) {
            facts.counter = CallCounterFacts(try CallCounter(threads: 1))
            // What it cannot see of processes is to be known beforehand.
            if let processes = try? CallCounter(processes: 1) { facts.counter?.limit = processes.limit }
        } catch {
            facts.counterRefusal = error.description
            facts.counterNeedsPrivilege = error.isPrivilege
        }
        return facts
    }
}
