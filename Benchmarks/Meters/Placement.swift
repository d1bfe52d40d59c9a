/// Which processor each thread is pinned to.
package struct Placement: Sendable, Equatable, Codable, CustomStringConvertible {
    /// The processors of the server's workers, used in turn; empty leaves them to the scheduler.
    package var workers: [Int]
    /// The processors of the client's threads, used in turn; empty leaves them to the scheduler.
    package var clients: [Int]

    /// Everything where the scheduler puts it.
    package static let unpinned = Placement(workers: [], clients: [])

    /// Takes the processors of either side.
    package init(workers: [Int], clients: [Int]) {
        self.workers = workers
        self.clients = clients
    }

    /// Gives the clients processors of their own, the last ones, and the workers the others; unpinned where there is
    /// only one processor.
    package static func automatic(available: [Int] = Affinity.available(), workers: Int, clients: Int) -> Placement {
        guard available.count > 1 else { return .unpinned }
        let clientCount = min(clients, max(1, available.count - workers), available.count - 1)
        return Placement(
            workers: Array(available.dropLast(clientCount).prefix(workers)), clients: available.suffix(clientCount))
    }

    /// The processor of a worker.
    package func processor(ofWorker index: Int) -> Int? {
        workers.isEmpty ? nil : workers[index % workers.count]
    }

    /// The processor of a client thread.
    package func processor(ofClient index: Int) -> Int? {
        clients.isEmpty ? nil : clients[index % clients.count]
    }

    /// `server=0,1 client=2`, `server=0` where nobody else takes part, or `none`: the `pinning` column.
    package var description: String {
        if workers.isEmpty && clients.isEmpty { return "none" }
        func list(_ processors: [Int]) -> String { processors.map(String.init).joined(separator: ",") }
        return "server=\(list(workers))" + (clients.isEmpty ? "" : " client=\(list(clients))")
    }
}
