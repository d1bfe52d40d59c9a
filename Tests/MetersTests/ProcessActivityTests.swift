import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Meters

/// What is counted of other processes whose threads, forks and wakeups are known.
@Suite struct ProcessActivityTests {
    private let file = TemporaryFile()

    /// Runs a program in Python between two points.
    private func python(_ program: String) throws -> KeptProgram {
        try pointedPython("point(\"ready\")\n\(program)", telling: file)
    }

    private struct Counted {
        var calls: CallCounts
        var activity: ServerActivity
    }

    /// What is counted between the points; nil, said on standard output, where that is not to be had.
    private func counted(_ program: String) throws -> Counted? {
        let counter: CallCounter
        do throws(CallCounterRefusal) {
            counter = try CallCounter(processes: 16, sources: [.bpf])
        } catch {
            print("skipped: \(error)")
            return nil
        }
        if let limit = counter.limit {
            print("skipped: \(limit)")
            return nil
        }
        let program = try python(program)
        #expect(eventually { file.text == "ready\n" })
        let tree = ProcessTree(root: program.keeper, includesRoot: false)
        tree.find()
        #expect(counter.watch(processes: tree.members))
        #expect(!counter.watch(processes: tree.members))
        let before = Counted(calls: try #require(counter.read()), activity: try #require(counter.activity()))
        program.order(SIGUSR1)
        #expect(eventually { file.text == "ready\nend\n" }, "\(file.text)")
        return Counted(
            calls: try #require(counter.read()) - before.calls,
            activity: try #require(counter.activity()) - before.activity)
    }

    @Test func callsOfProcessesThatComeAndGoAreCounted() throws {
        let counted = try counted(
            """
            for _ in range(20):
                pid = os.fork()
                if pid == 0:
                    for _ in range(100): os.getppid()
                    if os.fork() == 0:
                        for _ in range(50): os.getppid()
                        os._exit(0)
                    os.wait()
                    os._exit(0)
                os.waitpid(pid, 0)
            """)
        guard let counted else { return }
        #expect(counted.calls.byName["getppid"] == 3000)
        // Those that ended are forgotten: their numbers may be others' by now.
        #expect(counted.activity.threads.count == 1)
    }

    @Test func everyWakeupIsCounted() throws {
        let rounds: UInt64 = 2000
        let counted = try counted(
            """
            there, back = os.pipe(), os.pipe()
            if os.fork() == 0:
                for _ in range(\(rounds)): os.write(back[1], os.read(there[0], 1))
                os._exit(0)
            for _ in range(\(rounds)):
                os.write(there[1], b"x")
                os.read(back[0], 1)
            os.wait()
            """)
        guard let counted else { return }
        // Each waits for the other; on two processors a byte can come just before its reader sleeps.
        let wakeups = counted.activity.wakeups
        #expect((rounds...2 * rounds + 200).contains(wakeups), "\(wakeups)")
    }

    @Test func readsAndConnectionsAreCountedByThread() throws {
        let counted = try counted(
            """
            listener = socket.create_server(("127.0.0.1", 0), backlog=64)
            made = [socket.create_connection(listener.getsockname()) for _ in range(10)]
            left, right = socket.socketpair()
            left.setblocking(False)
            done = threading.Semaphore(0)
            stay = threading.Event()
            def accept():
                for _ in range(7): listener.accept()
                done.release()
                stay.wait()
            def read():
                for _ in range(300):
                    try: left.recv(1)
                    except BlockingIOError: pass
                    right.send(b"x")
                    left.recv(1)
                done.release()
                stay.wait()
            for work in [accept, read]:
                threading.Thread(target=work, daemon=True).start()
                done.acquire()
            """)
        guard let counted else { return }
        // Receives that found nothing do not count.
        #expect(counted.activity.readsByThread.count == 3, "\(counted.activity.threads)")
        #expect(counted.activity.readsByThread.max() == 300, "\(counted.activity.threads)")
        #expect(counted.activity.acceptsByThread.sorted() == [0, 0, 7], "\(counted.activity.threads)")
    }

    @Test func whatIsNotFollowedIsSaid() throws {
        let refused = CallCounter.Source.allCases.compactMap { try? CallCounter(threads: 1, sources: [$0]) }
        guard refused.contains(where: { $0.source == .bpf }) else {
            return print("skipped: no BPF program can be loaded")
        }
        let backend = try BPFCallCounter(processes: 4, limit: "the test says so")
        let counter = try CallCounter([.bpf]) { _ in backend }
        #expect(!counter.followsForks && counter.limit == "the test says so" && counter.activity() == nil)
        #expect(counter.watch(processes: [getppid()]) && !counter.watch(processes: [getppid()]))
    }

    @Test func fieldsAreWhereTheKernelSays() throws {
        let format = """
            name: sched_wakeup
            format:
            \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
            \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

            \tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;
            \tfield:pid_t pid;\toffset:24;\tsize:4;\tsigned:1;
            """
        #expect(TraceFS.offset(of: "pid", in: format) == 24)
        #expect(TraceFS.offset(of: "common_pid", in: format) == 4)
        // Not of 32 bits, and not there.
        #expect(TraceFS.offset(of: "common_type", in: format) == nil && TraceFS.offset(of: "cpu", in: format) == nil)
    }

    @Test func itIsMountedForNobodyElse() {
        guard geteuid() == 0 else { return print("skipped: not root") }
        let mounts = try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
        do throws(Errno) {
            let tracefs = try TraceFS()
            #expect(try tracefs.number(of: "sched/sched_switch") > 0)
            #expect(throws: Errno.notSupported) { try TraceFS().number(of: "sched/nothing") }
        } catch {
            print("skipped: \(error)")
        }
        #expect(mounts == (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)))
    }
}
