import Foundation
import TestSupport
import Testing

@testable import Meters

/// What reading another process costs, printed: no time decides a test.
@Suite struct ProcessTreeCostTests {
    @Test(arguments: [1, 10, 100]) func aReadingIsWhole(_ threads: Int) throws {
        let file = TemporaryFile()
        let text = """
            import threading, time
            for _ in range(\(threads - 1)): threading.Thread(target=time.sleep, args=(600,)).start()
            open("\(file.path)", "w").write("x")
            time.sleep(600)
            """
        let program = try KeptProgram("/usr/bin/env", ["python3", "-c", text])
        #expect(eventually { !file.text.isEmpty })
        let tree = ProcessTree(root: program.keeper, includesRoot: false)
        var shortest: [UInt64] = [.max, .max, .max]
        for _ in 0..<50 {
            let start = monotonicNanoseconds()
            tree.find()
            let found = monotonicNanoseconds()
            tree.readClocks()
            let clocks = monotonicNanoseconds()
            #expect(tree.usage().threads == threads)
            let times = [found - start, clocks - found, monotonicNanoseconds() - clocks]
            shortest = zip(shortest, times).map { min($0, $1) }
        }
        print("\(threads) threads: find \(shortest[0]) ns, clocks \(shortest[1]) ns, files \(shortest[2]) ns")
    }
}
