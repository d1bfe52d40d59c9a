import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Meters

/// Processes of others, whose children and threads come and go while they are read.
@Suite struct ProcessTreeTests {
    private let file = TemporaryFile()

    private func python(_ program: String) throws -> KeptProgram { try pointedPython(program, telling: file) }

    private func await(_ point: String) {
        #expect(eventually { file.text.hasSuffix(point + "\n") }, "\(file.text)")
    }

    private func usage(_ tree: ProcessTree) -> ProcessUsage {
        tree.find()
        tree.readClocks()
        return tree.usage()
    }

    @Test(arguments: [true, false]) func threadsAndChildrenAreFoundAndGone(_ usesChildrenFiles: Bool) throws {
        let program = try python(
            """
            def child():
                pid = os.fork()
                if pid == 0: time.sleep(600)
                return pid
            stop = threading.Event()
            point("alone")
            threads = [threading.Thread(target=stop.wait) for _ in range(5)]
            for thread in threads: thread.start()
            children = [child() for _ in range(3)]
            point("together")
            stop.set()
            for thread in threads: thread.join()
            for pid in children:
                os.kill(pid, 9)
                os.waitpid(pid, 0)
            """)
        let tree = ProcessTree(root: program.keeper, includesRoot: false, usesChildrenFiles: usesChildrenFiles)
        self.await("alone")
        let alone = usage(tree)
        #expect(alone.processes == 1 && alone.threads == 1)
        #expect(alone.residentBytes > 1 << 20 && alone.cpuNanoseconds > 1_000_000)
        program.order(SIGUSR1)
        self.await("together")
        let together = usage(tree)
        #expect(together.processes == 4 && together.threads == 9)
        #expect(try #require(together.descriptors) >= 4 * #require(alone.descriptors))
        #expect(together.voluntarySwitches > alone.voluntarySwitches)
        #expect(try #require(together.runDelayNanoseconds) >= #require(alone.runDelayNanoseconds))
        #expect(tree.members.count == 4 && tree.refusal == nil)
        program.order(SIGUSR1)
        self.await("end")
        let end = usage(tree)
        #expect(end.processes == 1 && end.threads == 1)
        #expect(end.cpuNanoseconds >= together.cpuNanoseconds)
        #expect(end.voluntarySwitches >= together.voluntarySwitches)
    }

    @Test func theCPUTimeOfEachThreadIsSeenAndWhatEndedUnseenIsMissing() throws {
        let program = try python(
            """
            def work():
                burn(0.2)
                stay.wait()
            stay = threading.Event()
            point("before")
            threads = [threading.Thread(target=work) for _ in range(2)]
            for thread in threads: thread.start()
            while time.process_time() < 0.4: pass
            time.sleep(0.1)
            point("worked")
            thread = threading.Thread(target=burn, args=(0.3,))
            thread.start()
            thread.join()
            point("unseen")
            stay.set()
            for thread in threads: thread.join()
            """)
        let tree = ProcessTree(root: program.keeper, includesRoot: false)
        self.await("before")
        let before = usage(tree)
        #expect(before.processesSeen == 1 && before.cpuByThread.count == 1)
        program.order(SIGUSR1)
        self.await("worked")
        #expect(eventually { usage(tree).cpuByThread.values.count { $0 >= 190_000_000 } >= 2 })
        let worked = usage(tree)
        #expect(worked.cpuByThread.count == 3)
        #expect(worked.seenNanoseconds == worked.cpuByThread.values.reduce(0, +))
        program.order(SIGUSR1)
        self.await("unseen")
        let end = usage(tree)
        let used = end.cpuNanoseconds - worked.cpuNanoseconds
        let seen = try #require(end.seenNanoseconds) - #require(worked.seenNanoseconds)
        #expect(used >= 290_000_000 && used >= seen + 280_000_000, "\(used), \(seen) of it seen")
        #expect(end.processesSeen == 1)
    }

    @Test func theCPUTimeOfAChildThatEndedIsCounted() throws {
        let program = try python(
            """
            point("before")
            pid = os.fork()
            if pid == 0:
                burn(0.2)
                os._exit(0)
            os.waitpid(pid, 0)
            """)
        let tree = ProcessTree(root: program.keeper, includesRoot: false)
        self.await("before")
        let before = usage(tree)
        program.order(SIGUSR1)
        self.await("end")
        let used = usage(tree).cpuNanoseconds - before.cpuNanoseconds
        // Ticks of 10 ms are rounded down.
        #expect(used >= 190_000_000, "\(used)")
    }

    @Test func theCPUTimeOfAChildThatWasSeenIsCountedOnceWhenItEnds() throws {
        let program = try python(
            """
            pid = os.fork()
            if pid == 0:
                burn(0.2)
                point("burnt")
                os._exit(0)
            os.waitpid(pid, 0)
            """)
        let tree = ProcessTree(root: program.keeper, includesRoot: false)
        self.await("burnt")
        let before = usage(tree)
        #expect(before.processes == 2 && before.cpuNanoseconds >= 200_000_000)
        program.order(SIGUSR1)
        self.await("end")
        let used = usage(tree).cpuNanoseconds - before.cpuNanoseconds
        #expect(used < 150_000_000, "\(used)")
    }

    @Test func nothingCountsBackwardsWhenNobodyWaitsForAChild() throws {
        let program = try python(
            """
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            pid = os.fork()
            if pid == 0:
                burn(0.2)
                point("burnt")
                os._exit(0)
            while os.path.exists(f"/proc/{pid}"): time.sleep(0.01)
            """)
        let tree = ProcessTree(root: program.keeper, includesRoot: false)
        self.await("burnt")
        let before = usage(tree).cpuNanoseconds
        program.order(SIGUSR1)
        self.await("end")
        #expect(usage(tree).cpuNanoseconds >= before)
    }

    @Test func aProcessThatIsNotThereHasNothing() {
        let seen = usage(ProcessTree(root: 0x3f_ffff))
        #expect(seen.processes == 0 && seen.cpuNanoseconds == 0 && seen.descriptors == nil)
    }

    @Test func filesAreReadWithoutTheNameOfTheProgramMisleading() throws {
        var file = ProcFile()
        #expect(file.read(getpid(), "stat") == nil)
        #expect(file.status?.parent == getppid() && file.status?.isZombie == false)
        #expect(file.read(getpid(), "status") == nil)
        #expect(file.number(after: "Tgid:") == UInt64(getpid()) && file.number(after: "Nothing:") == nil)
        #expect(file.read(0x3f_ffff, "stat") == .noSuchFileOrDirectory)
        let strange = try KeptProgram(
            "/usr/bin/env",
            [
                "python3", "-c",
                "open(\"/proc/self/comm\", \"w\").write(\"a) Z 1 (b\")\nopen(\"\(self.file.path)\", \"w\").write(\"x\\n\")\nimport time; time.sleep(600)",
            ])
        self.await("x")
        let tree = ProcessTree(root: strange.keeper, includesRoot: false)
        tree.find()
        #expect(file.read(try #require(tree.members.first), "stat") == nil)
        #expect(file.status?.parent == strange.keeper && file.status?.isZombie == false)
    }
}
