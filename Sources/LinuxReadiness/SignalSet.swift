import Glibc

/// A set of signals: which a thread blocks, a descriptor reads, or a wait leaves blocked (`sigset_t`, `sigsetops(3)`).
///
/// Elements are the numbers of `signal(7)`, by their names in the C library:
///
/// ```swift
/// var signals: SignalSet = [SIGTERM, SIGINT]
/// signals.insert(SIGHUP)
/// let before = signals.block()
/// ```
///
/// A set holds 1 to 64 without those that the C library keeps for itself between the standard signals and
/// ``firstRealTimeSignal``. Any other number is a mistake of the program and ends it, but that ``contains(_:)`` and
/// ``remove(_:)`` find it absent.
///
/// What a thread blocks is the thread's own, so ``block()`` and the like have no place around an `await`: the task may
/// go on on another thread.
@frozen public struct SignalSet: Sendable, Hashable {
    /// Bit n - 1 stands for signal n, as the kernel has it.
    @usableFromInline var bits: UInt64

    @usableFromInline init(bits: UInt64) { self.bits = bits }

    /// An empty set.
    public init() { bits = 0 }

    /// All that a set can hold. `SIGKILL` and `SIGSTOP` are in it, and are never blocked all the same.
    public static let all = SignalSet(bits: (1...64).filter { isSignal($0) }.reduce(0) { $0 | 1 << UInt64($1 - 1) })

    /// The first of the real-time signals (`SIGRTMIN`), which are queued one by one and carry a value; 64 is the last.
    public static var firstRealTimeSignal: CInt { __libc_current_sigrtmin() }

    /// True of a number that a set can hold.
    public static func isSignal(_ number: CInt) -> Bool {
        (1..<32).contains(number) || (firstRealTimeSignal...64).contains(number)
    }

    private static func bit(_ signal: CInt) -> UInt64 {
        precondition(isSignal(signal), "\(signal) is no signal that a program can use")
        return 1 << UInt64(signal - 1)
    }
}

extension SignalSet: SetAlgebra {
    /// True if the signal is in the set.
    public func contains(_ signal: CInt) -> Bool { Self.isSignal(signal) && bits & Self.bit(signal) != 0 }

    /// Adds a signal.
    @discardableResult
    public mutating func insert(_ signal: CInt) -> (inserted: Bool, memberAfterInsert: CInt) {
        let isNew = !contains(signal)
        bits |= Self.bit(signal)
        return (isNew, signal)
    }

    /// Takes a signal out; nil if it was not in.
    @discardableResult public mutating func remove(_ signal: CInt) -> CInt? {
        guard contains(signal) else { return nil }
        bits &= ~Self.bit(signal)
        return signal
    }

    /// Adds a signal; nil if it is new.
    @discardableResult public mutating func update(with signal: CInt) -> CInt? {
        insert(signal).inserted ? nil : signal
    }

    /// The signals of either.
    public func union(_ other: SignalSet) -> SignalSet { SignalSet(bits: bits | other.bits) }
    /// The signals of both.
    public func intersection(_ other: SignalSet) -> SignalSet { SignalSet(bits: bits & other.bits) }
    /// The signals of one of them only.
    public func symmetricDifference(_ other: SignalSet) -> SignalSet { SignalSet(bits: bits ^ other.bits) }
    /// Adds the signals of another set.
    public mutating func formUnion(_ other: SignalSet) { bits |= other.bits }
    /// Takes out what another set has not.
    public mutating func formIntersection(_ other: SignalSet) { bits &= other.bits }
    /// Takes out what another set has, and adds what only that one has.
    public mutating func formSymmetricDifference(_ other: SignalSet) { bits ^= other.bits }
}

extension SignalSet: CustomStringConvertible {
    /// `signals 2, 15`.
    public var description: String {
        let numbers = (1...64).filter { bits & 1 << UInt64($0 - 1) != 0 }
        return numbers.isEmpty ? "no signals" : "signals " + numbers.map(String.init).joined(separator: ", ")
    }
}
