import Histogram
import Load
import Loops
import Meters
package import Records
import Statistics

extension Measurement {
    /// Writes what came of a run into its row. What such a plan does not have is left empty.
    package func fill(_ record: inout RunRecord, _ plan: RunPlan) {
        record.status = status
        record.reason = reason
        for warning in warnings { record.addWarning(warning) }
        record.tlsNegotiated = negotiated
        record.serverAddress = serverAddress
        record.loadSkewNs = hosts?.skewNanoseconds
        record.clockErrorNs = hosts?.clockErrorNanoseconds
        guard durationNanoseconds > 0 else { return }
        fillOperations(&record)
        let isScheduled = isOpenLoop || plan.isTimer
        record.setLatency(LatencySummary(latencies), kind: plan.latencyKind(isScheduled: isScheduled))
        fillCosts(&record)
        if plan.clients > 0 { fillClients(&record) }
        if plan.mode == nil { fillProcesses(&record, plan) } else { fillThreads(&record) }
        fillWorkers(&record, plan)
        fillNetwork(&record, plan)
        fillSplit(&record)
        if let mode = plan.mode, mode.capabilities.usesRing { fillRing(&record, mode) }
        wake.fill(&record)
    }

    func perOperation(_ value: UInt64) -> Double? {
        operations == 0 ? nil : Double(value) / operationsOfCosts
    }

    /// Nil where the server does not tell.
    private func perOperation(_ count: WorkerCount) -> Double? { totals[count].flatMap(perOperation) }

    private func fillOperations(_ record: inout RunRecord) {
        record.durationS = Double(durationNanoseconds) / 1e9
        record.operations = operations
        record.errors = failures.total + outOfRange + totals[.errors, default: 0]
        record.offeredOpsPerS = offeredPerSecond
        record.saturated = isSaturated.map { $0 ? "yes" : "no" } ?? ""
        record.stallMaxNs = stallNanoseconds
        record.throughputOpsPerS = servedPerSecond
        record.lost = lost
        record.listenOverflows = listenOverflows
        record.foreignCpu = foreignShare
    }

    private func fillCosts(_ record: inout RunRecord) {
        record.wakeupsPerOp = perOperation(.wakeups)
        record.spuriousWakeupsPerOp = perOperation(.spuriousWakeups)
        record.emptyCallsPerOp = perOperation(.emptyCalls)
        record.syscallsPerOp = perOperation(.systemCalls)
        record.machineCpuNsPerOp = machineNanoseconds.flatMap(perOperation)
    }

    private func fillClients(_ record: inout RunRecord) {
        record.clientCpuNsPerOp = perOperation(client.cpuNanoseconds)
        record.clientAllocationsPerOp = AllocationCount.isCounted ? perOperation(client.allocations) : nil
        record.clientBusy = clientBusy
        let lag = LatencySummary(sendLag.histogram)
        record.sendLagP99Ns = lag.p99
        record.sendLagMaxNs = lag.max
    }

    /// What the threads of our loops used.
    private func fillThreads(_ record: inout RunRecord) {
        record.voluntarySwitchesPerOp = perOperation(server.voluntarySwitches)
        record.involuntarySwitchesPerOp = perOperation(server.involuntarySwitches)
        record.serverCpuNsPerOp = perOperation(server.cpuNanoseconds)
        record.allocationsPerOp = AllocationCount.isCounted ? perOperation(server.allocations) : nil
        record.peakMemoryBytes = peakMemoryBytes
        record.bytesPerConnection = bytesPerConnection
    }

    /// What the processes of somebody else's server used and hold.
    private func fillProcesses(_ record: inout RunRecord, _ plan: RunPlan) {
        guard let processes else { return }
        record.voluntarySwitchesPerOp = perOperation(processes.voluntarySwitches)
        record.involuntarySwitchesPerOp = perOperation(processes.involuntarySwitches)
        record.serverCpuNsPerOp = perOperation(processes.cpuNanoseconds)
        record.serverCpuFairness = jainIndex(
            ofBusy: Array(processes.cpuByThread.values), atLeast: plan.workerThreads)
        record.runDelayNsPerOp = processes.runDelayNanoseconds.flatMap(perOperation)
        record.serverMemoryBytes = processes.residentBytes
        record.serverThreads = UInt64(processes.threads)
        record.serverDescriptors = processes.descriptors.map { UInt64($0) }
        record.serverProcesses = UInt64(processes.processes)
    }

    private func fillWorkers(_ record: inout RunRecord, _ plan: RunPlan) {
        record.fairnessJain = jainIndex(perWorker)
        record.perWorkerOps = perWorker
        record.shortSends = totals[.shortSends]
        record.steeringFallbacks = steeringFallbacks
        // The C loops do not note when they got an operation.
        let keepsClock = plan.mode != nil && plan.loop.implementation == .swift
        if plan.workload == .datagram { fillDatagrams(&record) }
        if plan.workload == .read {
            record.connectionsOpen = UInt64(openConnections)
            record.reconnections = reconnections
        }
        switch plan.plan {
        case .network(_, let load), .external(_, let load):
            record.starvationMaxNs = keepsClock ? starvationNanoseconds : nil
            record.openPeak = keepsClock && load.workload != .datagram ? openPeak : nil
            record.outOfOrderPerOp = load.traffic.ordersMessages ? perOperation(.outOfOrder) : nil
        case .wake(_, let wake):
            // One worker alone cannot starve another.
            record.starvationMaxNs = keepsClock && wake.workerThreads > 1 ? starvationNanoseconds : nil
        }
    }

    private func fillDatagrams(_ record: inout RunRecord) {
        record.datagramsLost = datagrams.lostInWindow
        record.datagramsReordered = datagrams.reordered
        let receives = totals[.receives, default: 0]
        record.datagramsPerReceive = receives > 0 ? Double(operations) / Double(receives) : nil
    }

    private func fillRing(_ record: inout RunRecord, _ mode: Mode) {
        record.pollerCpuNsPerOp = pollerNanoseconds.flatMap(perOperation)
        if mode.options.zeroCopy != nil {
            record.notificationsPerOp = perOperation(.notifications)
            if Mode.ZeroCopySend.tellsOfCopies {
                record.copiedNotificationsPerOp = perOperation(.copiedNotifications)
            }
        }
        record.sqesPerOp = perOperation(.submissions)
        record.cqesPerOp = perOperation(.completions)
        record.rearmsPerOp = perOperation(.rearms)
        record.buffersExhausted = totals[.buffersExhausted]
        record.completionOverflows = totals[.completionOverflows]
        if let receives = totals[.receives], receives > 0 {
            record.bytesPerReceive = Double(totals[.receivedBytes, default: 0]) / Double(receives)
            record.messagesPerReceive = Double(operations) / Double(receives)
        }
    }
}

extension RunPlan {
    fileprivate func latencyKind(isScheduled: Bool) -> LatencyKind {
        if networkLoad?.probePerSecond != nil { return .probe }
        return isScheduled ? .fromScheduledStart : .fromCall
    }
}
