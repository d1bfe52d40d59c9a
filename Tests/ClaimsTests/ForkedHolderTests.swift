import Glibc
import Testing

@testable import Claims
@testable import Loops
@testable import Runs

/// What experiments leave behind when they are cut short.
@Suite struct ForkedHolderTests {
    @Test func leavesNoZombieWhenAnErrorCutsTheScriptShort() {
        var process: pid_t = 0
        func script() throws {
            let child = try ForkedHolder(keeping: [])
            process = child.process
            throw ScriptError("cut short")
        }
        #expect(throws: ScriptError.self) { try script() }
        #expect(process > 0)
        #expect(isReaped(process))
    }

    @Test func leavesNoZombieWhenItEndsInOrder() throws {
        let child = try ForkedHolder(keeping: [])
        let process = child.process
        child.end()
        #expect(isReaped(process))
    }

    /// True if somebody has waited for the end of the child.
    private func isReaped(_ process: pid_t) -> Bool {
        var status: CInt = 0
        return unsafe waitpid(process, &status, WNOHANG) == -1 && errno == ECHILD
    }
}
