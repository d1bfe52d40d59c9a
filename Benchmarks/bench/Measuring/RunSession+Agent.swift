import Records
import Servers

extension RunRecord {
    /// Whether it failed with the server's host, so that the run is to be made again.
    var isOfLostAgent: Bool { status == .failed && !serverMachineId.isEmpty && reason.hasPrefix("agent ") }
}

extension AgentClient {
    /// What is to be known where the servers are another build's than the row says.
    var buildWarning: String? {
        guard facts.commit != builtCommit || facts.build != Build.name else { return nil }
        return
            "the agent is the \(facts.build) build of \(facts.commit), and this is the \(Build.name) build of \(builtCommit): "
            + "rows name this one, and the servers are the agent's; build both hosts from one commit"
    }
}
