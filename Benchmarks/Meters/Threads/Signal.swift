package import LinuxDescriptors
package import LinuxReadiness
import Glibc
import SystemPackage

/// A counter to signal with.
package func makeSignal() throws(RunError) -> EventFD {
    do throws(Errno) {
        return try EventFD()
    } catch {
        throw RunError("eventfd", error)
    }
}

/// Adds one to an eventfd that the caller does not own; it cannot overflow here.
package func signal(_ descriptor: BorrowedDescriptor) {
    var one: UInt64 = 1
    _ = unsafe write(descriptor.rawValue, &one, 8)
}
