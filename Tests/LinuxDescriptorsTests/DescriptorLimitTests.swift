import LinuxDescriptors
import SystemPackage
import TestSupport
import Testing

/// Raising the limit is the one change that a test may make to the whole process: it takes nothing from the others.
@Suite struct DescriptorLimitTests {
    @Test func raisingReachesTheHardLimit() throws {
        let before = try DescriptorLimit.current()
        #expect(before.soft <= before.hard)
        let raised = try DescriptorLimit.raise()
        #expect(raised.soft == before.hard)
        #expect(raised.hard == before.hard)
        #expect(try DescriptorLimit.current() == raised)
        #expect(try DescriptorLimit.raise() == raised)
    }

    @Test(.enabled(if: descriptorTableCanBeFilled, whyNoFilling))
    func limitIsTheNumberOfDescriptors() throws {
        let opened = try withOwnDescriptorTable {
            let limit = try DescriptorLimit.raise()
            return (try fillDescriptorTable().count, limit.soft)
        }
        #expect(opened.0 + 3 == Int(opened.1))
    }
}
