import Records
import Servers

extension RunRecord {
    /// The same, void if it failed with the server's host or one that loads, so that the run is made again.
    var repeatable: RunRecord {
        let isOfAgent = !serverMachineId.isEmpty && reason.hasPrefix("agent ")
        guard status == .failed, isOfAgent || loadHosts != nil && reason.hasPrefix("load host ") else { return self }
        var record = self
        record.status = .void
        return record
    }
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
