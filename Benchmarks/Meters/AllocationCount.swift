import Allocations

/// The number of times that one thread has allocated memory.
///
/// Counted in front of the allocator itself (`Benchmarks/Allocations`), so it holds whatever Swift, Foundation and the
/// C library allocate on the thread. Under a sanitizer and with a C library other than glibc nothing is counted.
@safe package struct AllocationCount: @unchecked Sendable {
    // Unchecked because of the pointer: what it points at is only read, atomically.
    private let location: UnsafeRawPointer?

    /// The calling thread's.
    package static func ofThisThread() -> AllocationCount {
        unsafe AllocationCount(location: thread_allocations())
    }

    /// Whether this build counts at all.
    package static var isCounted: Bool { unsafe thread_allocations() != nil }

    /// The allocations so far, from any thread; 0 if they are not counted.
    ///
    /// The thread must not have ended: the count lives in its own storage.
    @unsafe package func read() -> UInt64 {
        guard let location = unsafe location else { return 0 }
        return unsafe read_allocations(location)
    }
}
