import Foundation
import LinuxDescriptors
import LinuxSockets
import Records
import TestSupport
import Testing

@testable import Load
@testable import Loops
@testable import Meters
@testable import Runs
@testable import Servers

/// Whole runs against somebody else's server.
@Suite(.serialized) struct ExternalRunTests {
    private let output = TemporaryFile()

    private func plan(_ command: String, milliseconds: UInt64 = 500) -> RunPlan {
        var plan = RunPlan(.read, mode: Mode.all[0])
        var server = ExternalServer("theirs", .command(command))
        server.outputPath = output.path
        server.timeoutNanoseconds = 60_000_000_000
        var load = LoadPlan(.read)
        load.connections = 4
        plan.plan = .external(server, load)
        plan.warmupNanoseconds = 20_000_000
        plan.durationNanoseconds = milliseconds * 1_000_000
        return plan
    }

    private func row(_ plan: RunPlan, _ measurement: Runs.Measurement) -> RunRecord {
        var record = RunRecord(plan)
        measurement.fill(&record, plan)
        return record
    }

    @Test func operationsAreTheClientsAndTheRestIsSeenFromOutside() throws {
        let plan = plan(PythonServer.echo())
        let row = row(plan, try measure(plan, Interruption()))
        #expect(row.status == .ok, "\(row.reason)")
        #expect(row.mode == "theirs" && row.implementation == "external" && row.durationS == 0.5)
        #expect(row.operations > 0 && row.latencySamples ?? 0 > 0)
        #expect(row.serverCpuNsPerOp ?? 0 > 0 && row.clientCpuNsPerOp ?? 0 > 0 && row.machineCpuNsPerOp ?? 0 > 0)
        #expect(row.serverProcesses == 1 && row.serverThreads == 1 && row.serverMemoryBytes ?? 0 > 1 << 20)
        // Three standard ones, the listener, epoll, and of four connections one: on a busy machine the others may wait.
        #expect(row.serverDescriptors ?? 0 >= 6 && (0...1).contains(row.clientBusy ?? -1))
        #expect(row.runDelayNsPerOp != nil && row.serverCpuFairness == nil)
        #expect(row.wakeupsPerOp == nil && row.emptyCallsPerOp == nil && row.spuriousWakeupsPerOp == nil)
        #expect(row.serverWakeupsPerOp == nil && row.serverOpsFairness == nil)
        #expect(row.syscallsPerOp == nil && row.perWorkerOps.isEmpty && row.fairnessJain == nil)
        #expect(row.starvationMaxNs == nil && row.openPeak == nil && row.outOfOrderPerOp == nil)
        #expect(row.allocationsPerOp == nil && row.peakMemoryBytes == nil && row.sqesPerOp == nil)
    }

    @Test func aShortWindowIsSaidToBe() throws {
        let short = plan(PythonServer.echo(), milliseconds: 50)
        let row = row(short, try measure(short, Interruption()))
        #expect(row.warnings.contains("raise --duration"))
    }

    @Test func ourOwnLoopsHaveTheMachinesTimeAndTheClients() throws {
        var plan = RunPlan(.read, mode: Mode.all[0])
        plan.warmupNanoseconds = 20_000_000
        plan.durationNanoseconds = 200_000_000
        let row = row(plan, try measure(plan, Interruption()))
        #expect(row.machineCpuNsPerOp ?? 0 > 0 && (0...1).contains(row.clientBusy ?? -1))
        #expect(row.serverProcesses == nil && !row.perWorkerOps.isEmpty)
    }

    @Test func threadsThatEndInTheWindowAreSaidToBeMissing() throws {
        let busy = """
            import threading
            def burn():
                end = time.thread_time() + 0.02
                while time.thread_time() < end: pass
            def work():
                while True:
                    thread = threading.Thread(target=burn)
                    thread.start()
                    thread.join()
            threading.Thread(target=work, daemon=True).start()
            """
        let plan = plan(PythonServer.echo(before: busy), milliseconds: 2000)
        let row = row(plan, try measure(plan, Interruption()))
        #expect(row.warnings.contains("their switches and run delay are missing"), "\(row.warnings) \(row.reason)")
    }

    @Test func callsOfAServersChildrenAreCountedOrSaidToBeMissing() throws {
        let forks = """
            import threading
            def work():
                while True:
                    pid = os.fork()
                    if pid == 0:
                        for _ in range(1000): os.getppid()
                        os._exit(0)
                    os.waitpid(pid, 0)
            threading.Thread(target=work, daemon=True).start()
            """
        let plan = plan(PythonServer.echo(before: forks), milliseconds: 2000)
        try countEachWay(plan) { source, counted in
            #expect(counted.gap != nil || source == .perf || counted.byName["getppid", default: 0] > 0)
        }
    }

    /// Counts by every source that is to be had.
    private func countEachWay(
        _ plan: RunPlan, _ check: (CallCounter.Source, CountedCalls) throws -> Void
    ) throws {
        for source in CallCounter.Source.allCases {
            do throws(CallCounterRefusal) {
                _ = try CallCounter(processes: 1, sources: [source])
            } catch {
                print("skipped: \(error)")
                continue
            }
            try check(source, try countCalls(plan, throughput: 10_000, sources: [source], try Interruption()))
        }
    }

    @Test func aServerThatDiesMidwayFailsTheRunWithItsLastWords() throws {
        let dies = PythonServer.echo(
            before: """
                import threading
                def die():
                    print("it is enough", flush=True)
                    os._exit(9)
                def watch():
                    while served < 5: time.sleep(0.01)
                    threading.Timer(0.3, die).start()
                threading.Thread(target=watch).start()
                """)
        let plan = plan(dies, milliseconds: 600_000)
        let reason: String
        do throws(RunError) {
            let measurement = try measure(plan, try Interruption.forTests())
            #expect(measurement.status == .failed)
            reason = measurement.reason
        } catch {
            reason = error.description
        }
        #expect(reason == "theirs: ended with exit code 9 during the run; its last words: it is enough")
    }

    @Test func theKernelCountsCallsByProcess() throws {
        var plan = plan(PythonServer.echo(), milliseconds: 2000)
        plan.external.workers = 2
        try countEachWay(plan) { source, counted in
            #expect(counted.disagreement == nil && counted.source == source)
            // A wait, a read and a send for each message, and a wait can bring several.
            #expect((2.0...3.2).contains(counted.perOperation), "\(source): \(counted.perOperation) \(counted.byName)")
            guard source == .bpf else { return }
            // At either end of the window a message of each connection may be between the call and its counting.
            let tolerance = 0.03 + 5 / counted.operations
            for call in ["recvfrom", "sendto"] {
                #expect(abs(counted.byName[call, default: 0] - 1) <= tolerance, "\(counted.byName)")
            }
            #expect(counted.gap == nil)
            guard counted.wakeupsPerOperation != nil else { return print("skipped: wakeups are not counted") }
            // One thread of two reads all, and sleeps at the most once for each message.
            #expect(counted.fairness == 0.5 && (0...1.1).contains(counted.wakeupsPerOperation ?? -1))
        }
    }

    /// One of eight threads does everything.
    @Test(arguments: [1, 8]) func aThreadThatDoesEverythingIsNoSignOfFairness(_ workers: Int) throws {
        let idle = """
            import threading
            for _ in range(7): threading.Thread(target=threading.Event().wait, daemon=True).start()
            """
        var plan = plan(PythonServer.echo(before: idle))
        plan.external.workers = workers
        let row = row(plan, try measure(plan, Interruption()))
        #expect(row.serverThreads == 8 && row.serverCpuFairness == (workers == 8 ? 0.125 : nil), "\(row.reason)")
    }
}

extension Interruption {
    fileprivate static func forTests() throws(RunError) -> Interruption {
        do { return try Interruption() } catch { throw RunError("signalfd", error) }
    }
}
