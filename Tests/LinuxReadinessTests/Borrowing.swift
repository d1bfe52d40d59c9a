import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// Lends another thread an event counter that stays with its owner.
func borrowing<Result>(_ descriptor: BorrowedDescriptor, _ body: (borrowing EventFD) throws -> Result) throws -> Result
{
    let counter = EventFD(owning: try descriptor.duplicate())
    return try body(counter)
}
