import CIOUring

/// The memory of a buffer group, kept until nobody can write into it: by the group, and by the ring that it was
/// registered with.
@safe @usableFromInline final class BufferMemory {
    let entries: UnsafeMutablePointer<io_uring_buf_ring>
    let storage: UnsafeMutableRawPointer
    /// The kernel counts from 0 in each registration, and the group goes on where it was.
    var wasRegistered = false

    init(entries: UnsafeMutablePointer<io_uring_buf_ring>, storage: UnsafeMutableRawPointer) {
        unsafe self.entries = entries
        unsafe self.storage = storage
    }

    deinit {
        unsafe UnsafeMutableRawPointer(entries).deallocate()
        unsafe storage.deallocate()
    }
}

/// The memory that a ring has given to the kernel.
@usableFromInline struct BufferGroups {
    /// By the group's number.
    private var registered: [UInt16: BufferMemory] = [:]
    /// Of groups that were unregistered while requests may have been about to write into one of their buffers.
    private var retired: [BufferMemory] = []

    var isEmpty: Bool { registered.isEmpty && retired.isEmpty }

    mutating func keep(_ memory: BufferMemory, as identifier: UInt16) { registered[identifier] = memory }

    func isKept(_ memory: BufferMemory, as identifier: UInt16) -> Bool { registered[identifier] === memory }

    mutating func retire(_ identifier: UInt16) {
        if let memory = registered.removeValue(forKey: identifier) { retired.append(memory) }
    }

    /// Takes the groups from the kernel, which has nothing pending, before their memory may go.
    func unregister(from ring: inout io_uring) {
        for identifier in registered.keys { _ = unsafe io_uring_unregister_buf_ring(&ring, CInt(identifier)) }
    }

    /// Gives the memory up for good: the kernel may write into it yet.
    func leak() {
        for memory in registered.values { _ = unsafe Unmanaged.passRetained(memory) }
        for memory in retired { _ = unsafe Unmanaged.passRetained(memory) }
    }
}
