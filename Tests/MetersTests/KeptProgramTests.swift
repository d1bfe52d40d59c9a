import CBenchExtras
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Meters

/// Programs that must not outlive whoever started them.
@Suite struct KeptProgramTests {
    private let file = TemporaryFile()

    private func processes() -> [Int32] { file.text.split(separator: "\n").compactMap { Int32($0) } }

    /// A shell that starts one process in its group and one in a session of its own, and tells the numbers of all.
    private var family: [String] {
        [
            "-c",
            "echo $$ >> \(file.path); sleep 600 & echo $! >> \(file.path); setsid sh -c 'echo $$ >> \(file.path); exec sleep 600' & wait",
        ]
    }

    @Test func nothingIsLeftWhenItsValueGoes() throws {
        var program: KeptProgram? = try KeptProgram("/bin/sh", family, keepsOrphans: true)
        #expect(eventually { processes().count == 3 })
        #expect(processes().allSatisfy(isAlive))
        #expect(program?.hasEnded(by: 0) == false)
        program = nil
        #expect(processes().allSatisfy { !isAlive($0) })
    }

    @Test func aProgramThatIsKilledLeavesNothing() throws {
        let program = try KeptProgram("/bin/sh", family)
        #expect(eventually { processes().count == 3 })
        kill(processes()[0], SIGKILL)
        #expect(program.hasEnded(by: monotonicNanoseconds() + 60_000_000_000))
        #expect(program.takeReport() == (.signalled(SIGKILL), false))
        #expect(eventually { processes().allSatisfy { !isAlive($0) } })
    }

    @Test func nothingOutlivesAHolderOfTheOrdersThatIsKilled() throws {
        var orders: [CInt] = [-1, -1]
        var reports: [CInt] = [-1, -1]
        var control: [CInt] = [-1, -1]
        try #require(c_order_stream(&orders) == 0 && c_pipe(&reports) == 0 && c_order_stream(&control) == 0)
        let keeper = try startFamily(orders: orders[0], reports: reports[1])
        // A process that has the only other end, as `bench` has, and that can be killed.
        let holder = c_fork_holder(control[0], [orders[1]], 1)
        try #require(holder > 0)
        for number in orders + [control[0], reports[1]] { close(number) }
        #expect(eventually { processes().count == 3 })
        var byte: UInt8 = 0
        #expect(read(control[1], &byte, 1) == 1)
        #expect(processes().allSatisfy(isAlive))
        kill(holder, SIGKILL)
        waitpid(holder, nil, 0)
        waitpid(keeper, nil, 0)
        #expect(processes().allSatisfy { !isAlive($0) })
        close(control[1])
        close(reports[0])
    }

    /// Generations of processes that do not end by themselves, each in a session of its own.
    @Test func aDeepTreeIsEnded() throws {
        let script = TemporaryFile()
        let command = "n=$1; echo $$ >> \(file.path); [ $n = 0 ] || setsid sh \(script.path) $((n - 1)) & sleep 600"
        try command.write(toFile: script.path, atomically: false, encoding: .utf8)
        var program: KeptProgram? = try KeptProgram("/bin/sh", [script.path, "12"], keepsOrphans: true)
        #expect(eventually { processes().count == 13 })
        #expect(program?.hasEnded(by: 0) == false)
        program = nil
        #expect(processes().allSatisfy { !isAlive($0) })
    }

    private func startFamily(orders: CInt, reports: CInt) throws -> pid_t {
        var arguments = (["/bin/sh"] + family).map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        let keeper = arguments.withUnsafeMutableBufferPointer { list in
            var program = c_kept_program()
            program.path = UnsafePointer(list[0])
            program.arguments = UnsafePointer(list.baseAddress)
            (program.output, program.errors, program.orders, program.reports) = (-1, -1, orders, reports)
            program.keeps_orphans = 1
            return c_run_kept(&program)
        }
        try #require(keeper > 0)
        return keeper
    }

    /// A number may be another process's by the time of the signal: what it was found as decides.
    @Test func aSignalIsForOneProcessAndNotForItsNumber() throws {
        let program = try KeptProgram("/bin/sleep", ["600"])
        let keeper = program.keeper
        #expect(eventually { descendants(of: keeper, isListed: false).count == 1 })
        var process = try #require(descendants(of: keeper, isListed: false).first)
        process.start += 1
        c_signal_process(process, SIGKILL)
        #expect(!program.hasEnded(by: monotonicNanoseconds() + 100_000_000))
        process.start -= 1
        c_signal_process(process, SIGKILL)
        #expect(program.hasEnded(by: monotonicNanoseconds() + 60_000_000_000))
        #expect(program.takeReport().ending == .signalled(SIGKILL))
    }

    /// With the kernel's lists of children, and without as where it has none.
    @Test(arguments: [true, false]) func allThatDescendAreFoundAndNobodyElse(_ isListed: Bool) throws {
        if isListed && c_lists_children() == 0 { return print("skipped: the kernel does not list children") }
        let other = try KeptProgram("/bin/sleep", ["600"])
        let program = try KeptProgram("/bin/sh", family)
        #expect(eventually { processes().count == 3 })
        // The shell that names itself may stand between them.
        let found = descendants(of: program.keeper, isListed: isListed).map(\.number)
        #expect(Set(processes()).isSubset(of: found) && found.count <= 5, "\(found), \(processes())")
        #expect(!found.contains(other.keeper) && !found.contains(program.keeper))
    }

    /// More than the kernel hands out in one read.
    @Test func manyChildrenAreFound() throws {
        let program = try KeptProgram(
            "/bin/sh", ["-c", "for n in $(seq 900); do sleep 600 & done; echo $$ >> \(file.path); wait"])
        #expect(eventually { processes().count == 1 })
        #expect(descendants(of: program.keeper, isListed: true, most: 2000).count >= 901)
    }

    private func descendants(of process: Int32, isListed: Bool, most: Int = 64) -> [c_process] {
        var list = [c_process](repeating: c_process(), count: most)
        let count = list.withUnsafeMutableBufferPointer { list in
            var found = c_processes(list: list.baseAddress, count: 0, most: Int32(most))
            c_find_descendants(&found, process, isListed ? 1 : 0)
            return Int(found.count)
        }
        return Array(list[..<count])
    }

    @Test func whatCannotBeExecutedIsReported() throws {
        let program = try KeptProgram("/nonexistent", [])
        #expect(program.hasEnded(by: monotonicNanoseconds() + 60_000_000_000))
        #expect(program.takeReport() == (.notStarted(.noSuchFileOrDirectory), false))
    }

    @Test func orphansAreWaitedForWhereTheyAreKept() throws {
        let program = try KeptProgram(
            "/bin/sh", ["-c", "setsid sh -c 'echo $$ >> \(file.path); exec sleep 600' & exit 4"], keepsOrphans: true)
        #expect(eventually { processes().count == 1 })
        #expect(!program.hasEnded(by: 0))
        #expect(eventually { !isAlive(program.keeper) || children(of: program.keeper).count == 2 })
        program.order(SIGTERM)
        #expect(program.hasEnded(by: monotonicNanoseconds() + 60_000_000_000))
        let report = program.takeReport()
        #expect(report.ending == .exited(4) && report.leftOthers)
        #expect(!isAlive(processes()[0]))
    }

    private func children(of process: Int32) -> [Substring] {
        let path = "/proc/\(process)/task/\(process)/children"
        return ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: " ")
    }
}
