import Foundation
import Meters
import Synchronization
import Testing

@Suite struct AllocationCountTests {
    /// Allocations of a thread of its own while it runs `body`.
    private func count(_ body: @escaping @Sendable () -> Void) -> UInt64 {
        let result = Mutex<UInt64>(0)
        let done = DispatchSemaphore(value: 0)
        Thread {
            let count = AllocationCount.ofThisThread()
            let before = count.read()
            body()
            let after = count.read()
            result.withLock { $0 = after - before }
            done.signal()
        }.start()
        done.wait()
        return result.withLock { $0 }
    }

    @Test(.enabled(if: AllocationCount.isCounted, "a sanitizer allocates in this build"))
    func everyKindOfAllocationIsCounted() {
        #expect(count {} == 0)
        #expect(count { for _ in 0..<1000 { free(malloc(10)) } } == 1000)
        #expect(count { for _ in 0..<1000 { free(calloc(2, 10)) } } == 1000)
        #expect(count { for _ in 0..<1000 { free(realloc(malloc(10), 1000)) } } == 2000)
        #expect(count { for _ in 0..<1000 { free(aligned_alloc(64, 128)) } } == 1000)
        #expect(
            count {
                for _ in 0..<1000 {
                    let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
                    memory.deallocate()
                }
            } == 1000)
        #expect(
            count { for length in 1...1000 { _ = [UInt8](repeating: 1, count: length).withUnsafeBytes { $0.count } } }
                <= 1000)
    }

    @Test(.enabled(if: AllocationCount.isCounted, "a sanitizer allocates in this build"))
    func invalidAlignmentsAreRefusedAsTheManualSays() {
        var memory: UnsafeMutableRawPointer?
        #expect(posix_memalign(&memory, 3, 8) == EINVAL)
        #expect(posix_memalign(&memory, 4, 8) == EINVAL)
        #expect(posix_memalign(&memory, 4096, 10) == 0)
        #expect(Int(bitPattern: memory) % 4096 == 0)
        free(memory)
    }
}
