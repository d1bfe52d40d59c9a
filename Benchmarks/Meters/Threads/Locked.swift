import Foundation

/// A value that threads take turns with.
///
/// Foundation's lock is a pthread mutex, which ThreadSanitizer can see; `Synchronization.Mutex` it cannot.
/// Sendable because the value is only reached under the lock.
package final class Locked<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    package init(_ value: Value) {
        self.value = value
    }

    package func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        lock.withLock { body(&value) }
    }
}
