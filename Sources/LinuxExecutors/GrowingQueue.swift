/// A queue in a ring of memory that doubles when it is full and never shrinks: once it is large enough, nothing is
/// allocated any more.
@safe struct GrowingQueue<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
    // Unchecked: the memory has no other owner.
    private var storage: UnsafeMutablePointer<Element>
    private var capacity: Int
    private var head = 0
    private(set) var count = 0

    /// - Parameter capacity: a power of two.
    init(capacity: Int = 64) {
        self.capacity = capacity
        unsafe storage = .allocate(capacity: capacity)
    }

    deinit { unsafe storage.deallocate() }

    var isEmpty: Bool { count == 0 }

    @inline(__always) mutating func append(_ element: Element) {
        if count == capacity { grow() }
        unsafe (storage + ((head &+ count) & (capacity &- 1))).initialize(to: element)
        count &+= 1
    }

    @inline(__always) mutating func popFirst() -> Element? {
        if count == 0 { return nil }
        let element = unsafe storage[head]
        head = (head &+ 1) & (capacity &- 1)
        count &-= 1
        return element
    }

    @inline(never) private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: 2 * capacity)
        let front = capacity - head
        unsafe larger.initialize(from: storage + head, count: front)
        unsafe (larger + front).initialize(from: storage, count: head)
        unsafe storage.deallocate()
        unsafe storage = unsafe larger
        capacity *= 2
        head = 0
    }
}
