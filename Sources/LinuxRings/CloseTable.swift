import Glibc
import LinuxDescriptors
import SystemPackage

/// Closes that a ring has taken and that may not have run: whose they are, and how to tell what became of them.
///
/// The kernel gets an identifier of the table's own in place of the user's token: 16 ones, a generation, and the
/// number that is to be closed. So a failed completion names the number, even of a close that is quiet on success and
/// has no other completion. Everything is in memory of this process: after a fork the child knows what was queued.
@safe @usableFromInline struct CloseTable: ~Copyable {
    @usableFromInline struct Close {
        @usableFromInline var token: UInt64 = 0
        /// The token of the close before it, which may have failed and not been taken.
        @usableFromInline var previousToken: UInt64 = 0
        /// The number of submissions before it, by which one knows whether it was handed over.
        @usableFromInline var position: UInt64 = 0
        @usableFromInline var generation: UInt16 = 0
        @usableFromInline var state = State.ended

        @usableFromInline init() {}
    }

    @usableFromInline enum State: UInt8 {
        case ended
        /// Its completion will come.
        case awaited
        /// It has a completion only if it fails, and may have run long ago.
        case quiet
    }

    /// Identifiers begin here; users' tokens end before it.
    @inlinable static var firstIdentifier: UInt64 { 0xffff << 48 }

    /// By number.
    @usableFromInline var closes: UnsafeMutablePointer<Close>?
    @usableFromInline var capacity = 0
    /// By identifier: what has no room in the table.
    private var others: [UInt64: Close] = [:]

    init() { unsafe closes = nil }

    @inlinable deinit { deallocate() }

    @usableFromInline func deallocate() { unsafe closes?.deallocate() }

    /// False if every close is known to have run.
    var mayBePending: Bool {
        if let table = unsafe closes {
            for index in 0..<capacity where unsafe table[index].state != .ended { return true }
        }
        return !others.isEmpty
    }

    /// Notes a close that is about to be queued and returns what the kernel gets for it.
    @inlinable @inline(__always)
    mutating func begin(_ number: CInt, _ token: UInt64, position: UInt64, isQuiet: Bool) -> UInt64 {
        let index = Int(number)
        guard index < capacity, let close = unsafe closes, unsafe close[index].state != .awaited else {
            return beginSlowly(number, token, position: position, isQuiet: isQuiet)
        }
        unsafe close[index].generation &+= 1
        unsafe close[index].previousToken = close[index].token
        unsafe close[index].token = token
        unsafe close[index].position = position
        unsafe close[index].state = isQuiet ? .quiet : .awaited
        return unsafe Self.identifier(number, close[index].generation)
    }

    @inlinable static func identifier(_ number: CInt, _ generation: UInt16) -> UInt64 {
        firstIdentifier | UInt64(generation) << 32 | UInt64(UInt32(bitPattern: number))
    }

    /// Numbers beyond this have no place in the table, so that one that the kernel never gave costs no memory.
    private static let largestCapacity = 1 << 20

    @usableFromInline @inline(never)
    mutating func beginSlowly(_ number: CInt, _ token: UInt64, position: UInt64, isQuiet: Bool) -> UInt64 {
        var close = Close()
        close.token = token
        close.position = position
        close.state = isQuiet ? .quiet : .awaited
        let index = Int(number)
        guard index < Self.largestCapacity else {
            // A quiet one may have run unseen, so the next of its number takes its place.
            if !isQuiet { while others[Self.identifier(number, close.generation)] != nil { close.generation &+= 1 } }
            others[Self.identifier(number, close.generation)] = close
            return Self.identifier(number, close.generation)
        }
        if index >= capacity { grow(toHold: index) }
        guard let table = unsafe closes else { return 0 }
        if unsafe table[index].state == .awaited {
            // It ran, for the number was given out again; its completion has not been taken yet.
            unsafe others[Self.identifier(number, table[index].generation)] = table[index]
        }
        close.generation = unsafe table[index].generation &+ 1
        close.previousToken = unsafe table[index].token
        unsafe table[index] = close
        return Self.identifier(number, close.generation)
    }

    private mutating func grow(toHold index: Int) {
        let wanted = max(64, 1 << (Int.bitWidth - index.leadingZeroBitCount))
        let larger = UnsafeMutablePointer<Close>.allocate(capacity: wanted)
        unsafe larger.initialize(repeating: Close(), count: wanted)
        if let old = unsafe closes {
            unsafe larger.update(from: old, count: capacity)
            unsafe old.deallocate()
        }
        unsafe closes = larger
        capacity = wanted
    }

    /// Takes note that a close will have a completion whatever becomes of it.
    mutating func expectCompletion(of identifier: UInt64) {
        let index = Int(CInt(truncatingIfNeeded: identifier))
        if index < capacity, let table = unsafe closes,
            unsafe Self.identifier(CInt(index), table[index].generation) == identifier
        {
            unsafe table[index].state = .awaited
        } else {
            others[identifier]?.state = .awaited
        }
    }

    /// Takes the completion of a close and returns its user's token; nil for an identifier that names none.
    ///
    /// A number whose close did not run is closed here.
    mutating func end(_ identifier: UInt64, result: Int32) -> UInt64? {
        let number = CInt(truncatingIfNeeded: identifier)
        guard number >= 0 else { return nil }
        guard let close = take(identifier, number) else { return tokenOfEarlier(identifier, number) }
        if result < 0 && Self.isStillOpen(number, after: Errno(rawValue: -result)) {
            _ = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
        }
        return close.token
    }

    /// The token of a close whose number was given out and taken again before its completion was.
    private func tokenOfEarlier(_ identifier: UInt64, _ number: CInt) -> UInt64? {
        guard Int(number) < capacity, let close = unsafe closes?[Int(number)],
            Self.identifier(number, close.generation &- 1) == identifier
        else { return nil }
        return close.previousToken
    }

    private mutating func take(_ identifier: UInt64, _ number: CInt) -> Close? {
        let index = Int(number)
        if index < capacity, let table = unsafe closes {
            let close = unsafe table[index]
            if close.state != .ended && Self.identifier(number, close.generation) == identifier {
                unsafe table[index].state = .ended
                return close
            }
        }
        return others.removeValue(forKey: identifier)
    }

    /// Closes every number whose close was not among the first `submitted` submissions.
    mutating func closeQueued(submitted: UInt64) {
        func isQueued(_ close: Close) -> Bool { close.state != .ended && close.position >= submitted }
        if let table = unsafe closes {
            for index in 0..<capacity where unsafe isQueued(table[index]) {
                unsafe table[index].state = .ended
                _ = OwnedDescriptor(owning: FileDescriptor(rawValue: CInt(index)))
            }
        }
        for (identifier, close) in others where isQueued(close) {
            others[identifier] = nil
            _ = OwnedDescriptor(owning: FileDescriptor(rawValue: CInt(truncatingIfNeeded: identifier)))
        }
    }

    /// Whether a close that failed left its number open and the ring's to close.
    private static func isStillOpen(_ number: CInt, after error: Errno) -> Bool {
        switch error {
        // io_uring did not come to the close. Of what restrictions forbid it would say EACCES, as a file system's close
        // may, after which the number is free: such closes are not queued (`Ring.checkClose`).
        case .canceled, .invalidArgument, .notSupportedOnSocket:
            true
        // Either the number is not open, or it is a ring, which io_uring does not close.
        case .badFileDescriptor:
            isRing(number)
        // What the file system said; the number is free whatever it was, and may be somebody else's by now.
        default:
            false
        }
    }

    private static func isRing(_ number: CInt) -> Bool {
        let wanted = "anon_inode:[io_uring]"
        return unsafe withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
            let path = "/proc/thread-self/fd/\(number)"
            let length = unsafe path.withCString { name in
                unsafe readlink(name, buffer.baseAddress!.assumingMemoryBound(to: CChar.self), buffer.count)
            }
            return unsafe length > 0 && String(decoding: buffer.prefix(length), as: UTF8.self) == wanted
        }
    }
}
