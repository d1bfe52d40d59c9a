import Load
import Loops
import Meters
import Records
import Servers
import SystemPackage

/// Carries out one run of clients against a server: both are made ready, the measured window is cut, both are ended.
///
/// - Parameter start: starts the server, wherever it runs.
/// - Throws: ``RunError`` if it could not start. What goes wrong later is the measurement's status.
func measureNetwork<Started: Server>(
    _ plan: RunPlan, _ load: LoadPlan, _ interruption: Interruption, _ start: () throws(RunError) -> Started
) throws(RunError) -> Measurement {
    let before = HostReading.read()
    var measurement = Measurement()
    let server: Started
    do throws(RunError) {
        server = try start()
    } catch {
        guard plan.mode == nil || plan.agent != nil, interruption.isRequested else { throw error }
        measurement.note(.interrupted)
        return measurement
    }
    let clients = try plan.startClients(load, of: server)
    // Clients that have not begun would wait for ever. Why somebody else's server ended explains what clients saw.
    func endBoth() -> RunError? {
        clients.giveUp()
        let report = server.end(windowEnd: 0)
        return plan.mode == nil || plan.agent != nil ? report.error : nil
    }
    do throws(RunError) {
        guard try server.prepare(unless: [clients.failure, interruption.descriptor]) else {
            throw RunError("accept of \(load.connections + load.idle) connections", .canceled)
        }
        if plan.mode == nil || plan.loadHosts != nil { try clients.connect(to: server, plan, interruption) }
    } catch {
        let death = endBoth()
        if interruption.isRequested {
            measurement.note(.interrupted)
            return measurement
        }
        if let death { throw death }
        for case .failure(let failure) in clients.join() { throw plan.clientError(failure, clients) }
        throw error
    }
    let prepared = server.hostReading()
    // The hosts that load have interfaces of their own, which this one does not see.
    let interface = plan.loadHosts != nil ? nil : InterfaceTable.read().interface(reaching: server.address)?.name
    do throws(Errno) {
        measurement =
            try load.queued == nil
            ? measureWindow(server, clients, plan, interruption) : measureDrain(server, clients, interruption)
    } catch {
        throw endBoth() ?? plan.clientError(error, clients)
    }
    measurement.interface = interface
    measurement.listenOverflows = server.overflows(since: before, until: prepared, load)
    // A server that is only slow still has the connections of the operations that it owes.
    let leak = measurement.isSound(plan) ? server.leak() : nil
    let report = server.end(windowEnd: measurement.windowEnd)
    measurement.note(report)
    measurement.note(server, plan)
    measurement.judge(plan, workerError: report.error ?? leak, kernel: plan.serverKernel)
    if load.workload == .read {
        measurement.noteMemory(
            from: server.readingBefore?.memory ?? before.memory, to: prepared.memory,
            connections: load.connections + load.idle)
    }
    return measurement
}

extension Server {
    /// Connections that its host dropped because an accept queue was full; nil if that is not known.
    ///
    /// - Parameter prepared: when all connections were made that are made beforehand.
    fileprivate func overflows(since before: HostReading, until prepared: HostReading, _ load: LoadPlan) -> UInt64? {
        // A read makes no connection later, and datagrams have none: a queue that overflows then is another program's.
        let isReady = [.read, .datagram].contains(load.workload)
        let after = isReady ? prepared.kernel : hostReading().kernel
        return after.overflows(since: readingBefore?.kernel ?? before.kernel)
    }
}

extension Measurement {
    /// Takes what is to be known of a server that an agent ran.
    fileprivate mutating func note(_ server: some Server, _ plan: RunPlan) {
        guard plan.agent != nil else { return }
        counter = server.counter
        serverAddress = "\(server.address)"
    }
}

extension Clients {
    /// Waits until the connections are made that the clients make beforehand, which somebody else's server does not tell.
    fileprivate func connect(
        to server: some Server, _ plan: RunPlan, _ interruption: Interruption
    ) throws(RunError) {
        let load = plan.load
        let deadline =
            monotonicNanoseconds() + plan.connectTimeoutNanoseconds + UInt64(load.connectingSeconds * 1e9)
        while !areReady(withinSeconds: 0.01) {
            let endings = [failure, server.failure, interruption.descriptor]
            guard !endings.contains(where: { isReadable($0, milliseconds: 0) }) else { break }
            if monotonicNanoseconds() > deadline {
                throw RunError(
                    failed: "\(plan.name): \(load.connections + load.idle) connections were not made within "
                        + (plan.mode == nil
                            ? "--server-timeout; take fewer, or give it longer" : "a minute; take fewer"))
            }
        }
        if isReadable(failure, milliseconds: 0) { throw RunError("\(plan.name): connect", .canceled) }
        if isReadable(server.failure, milliseconds: 0) { throw RunError("\(plan.name): connect", .connectionReset) }
    }
}
