import Glibc
import LinuxDescriptors
import SystemPackage

/// Starts the thread of client `index`, with a descriptor table of its own where that is allowed, so that the limit
/// counts for either end of the connections alone.
///
/// - Parameter failure: an eventfd that is signalled if `body` throws; nothing else is inherited. Borrowed.
func clientThread(
    _ plan: RunPlan, _ index: Int, failure: BorrowedDescriptor,
    _ body: @escaping @Sendable () throws(Errno) -> ClientResult
) -> BenchThread<ClientResult> {
    let name = "client-\(index)"
    let fail = { @Sendable (_: Errno) in signal(failure) }
    return BenchThread(name, processor: plan.placement.processor(ofClient: index), refused: fail) {
        () throws(Errno) in
        do throws(Errno) {
            _ = try? unshareDescriptorTable(closingInherited: true, except: failure)
            return try body()
        } catch {
            fail(error)
            throw error
        }
    }
}

/// Adds one to an eventfd that somebody else owns; it cannot overflow here.
func signal(_ descriptor: BorrowedDescriptor) {
    var one: UInt64 = 1
    _ = unsafe write(descriptor.rawValue, &one, 8)
}
