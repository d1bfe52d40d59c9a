import LinuxDescriptors

/// What a task asks an executor for.
///
/// The memory is the caller's, who is suspended until the kernel is done with it, and so cannot use or free it before.
@safe struct Request: @unchecked Sendable {
    enum Deed {
        case receive
        case send
        case accept
        /// Waits until a descriptor can be read.
        case awaitReadable
        /// Waits until a descriptor can be written.
        case awaitWritable
        case sleep
    }

    let deed: Deed
    let descriptor: BorrowedDescriptor
    /// Which of those that had the descriptor's number one after the other.
    let watch: Watch
    let memory: UnsafeMutableRawPointer?
    /// Bytes, or nanoseconds of a sleep.
    let count: Int

    /// A request that needs no memory.
    init(_ deed: Deed, _ descriptor: BorrowedDescriptor, _ watch: Watch, count: Int = 0) {
        unsafe self.init(deed, descriptor, watch, nil, count: count)
    }

    @unsafe init(
        _ deed: Deed, _ descriptor: BorrowedDescriptor, _ watch: Watch, _ memory: UnsafeMutableRawPointer?, count: Int
    ) {
        self.deed = deed
        self.descriptor = descriptor
        self.watch = watch
        unsafe self.memory = unsafe memory
        self.count = count
    }

    static func sleep(nanoseconds: Int) -> Request {
        Request(.sleep, BorrowedDescriptor(rawValue: -1), Watch(number: 0, drainsWhenShort: false), count: nanoseconds)
    }
}
