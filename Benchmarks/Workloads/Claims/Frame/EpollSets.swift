import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// Epoll sets that several threads of a script use by number.
final class EpollSets: Sendable {
    private final class Box: Sendable {
        let epoll: Epoll
        init() throws(Errno) { epoll = try Epoll() }
    }

    private let boxes: [Box]

    init(count: Int) throws(Errno) {
        var boxes: [Box] = []
        for _ in 0..<count { boxes.append(try Box()) }
        self.boxes = boxes
    }

    var count: Int { boxes.count }

    subscript(index: Int) -> EpollSet { EpollSet(sets: self, index: index) }

    /// One of the sets, borrowed.
    struct EpollSet: Sendable {
        fileprivate let sets: EpollSets
        fileprivate let index: Int

        var descriptor: BorrowedDescriptor { sets.boxes[index].epoll.descriptor }

        func add(_ descriptor: BorrowedDescriptor, _ events: EpollEvents, token: UInt64) throws(Errno) {
            try sets.boxes[index].epoll.add(descriptor, events, token: token)
        }

        func modify(_ descriptor: BorrowedDescriptor, _ events: EpollEvents, token: UInt64) throws(Errno) {
            try sets.boxes[index].epoll.modify(descriptor, events, token: token)
        }

        func remove(_ descriptor: BorrowedDescriptor) throws(Errno) {
            try sets.boxes[index].epoll.remove(descriptor)
        }

        /// Waits for one event; nil when the time is over.
        func waitForOne(milliseconds: CInt = Patience.waitMilliseconds) throws(Errno) -> EpollEvent? {
            let events = EpollEventBuffer(capacity: 1)
            let count = try sets.boxes[index].epoll.wait(into: events, timeout: .milliseconds(milliseconds))
            return count > 0 ? events[0] : nil
        }
    }
}
