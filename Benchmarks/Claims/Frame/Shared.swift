/// Holds a value that cannot be copied for a collection or a closure.
final class Shared<Value: ~Copyable> {
    let value: Value
    init(_ value: consuming Value) { self.value = value }
}

extension Shared: Sendable where Value: ~Copyable & Sendable {}
