import Meters
import Synchronization

/// Tells client threads to give up at once.
package final class Abandonment: Sendable {
    private let flag = Atomic(false)
    private let action = Locked<(@Sendable () -> Void)?>(nil)

    package init() {}

    package var isRequested: Bool { flag.load(ordering: .relaxed) }

    package func request() {
        flag.store(true, ordering: .relaxed)
        action.withLock { $0 }?()
    }

    /// Sets what wakes threads that would not look at the flag; calls it if they are to give up already.
    package func onRequest(_ wake: @escaping @Sendable () -> Void) {
        action.withLock { $0 = wake }
        if isRequested { wake() }
    }
}
