import Meters
import Testing

@Suite struct KernelVersionTests {
    @Test func releasesAreReadAndOrderedAsNumbers() {
        #expect(KernelVersion(release: "6.12.117+deb13-cloud-amd64") == KernelVersion(6, 12))
        #expect(KernelVersion(release: "5.10.0-32-cloud-amd64") == KernelVersion(5, 10))
        #expect(KernelVersion(release: "6.1-rc3") == KernelVersion(6, 1))
        #expect(KernelVersion(release: "") == nil && KernelVersion(release: "6") == nil)
        #expect(KernelVersion(release: "six.one") == nil)
        #expect(KernelVersion(6, 2) < KernelVersion(6, 12) && KernelVersion(5, 19) < KernelVersion(6, 0))
        #expect(KernelVersion(6, 12).description == "6.12")
        #expect(KernelVersion.running != nil)
    }
}
