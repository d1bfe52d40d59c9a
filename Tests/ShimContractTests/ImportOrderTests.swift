import SystemPackage
import Testing

import CIOUring

/// The imports the other way round: what clashes may show in one order only.
@Suite struct ImportOrderTests {
    @Test func theirRingIsBesideOurs() {
        #expect(String(reflecting: IORing.self).hasSuffix("IORing"))
        #expect(MemoryLayout<io_uring_sqe>.size == 64)
    }
}
