import CSocketExtras
import Glibc
public import LinuxDescriptors
import SystemPackage

/// How a set is watched itself. The kernel's set is closed and another one made when ghosts are to be ended, and whoever
/// watched it would hear nothing more. So what is lent is the gate: a set that watches nothing but the kernel's set of the
/// day.
extension InterestSet {
    /// The set's own descriptor, borrowed, which is readable while the set has events: to be watched by another set, or
    /// polled by a ring or `poll(2)`. Making it takes a descriptor, once.
    ///
    /// ```swift
    /// let nested = try outer.insert(inner.descriptor.duplicate(), .readable)
    /// // after an event of `nested`:
    /// _ = try inner.wait(timeout: .zero)
    /// while let event = inner.nextEvent() { handle(event) }
    /// ```
    ///
    /// - It is for watching only: adding to it or waiting on it would go past the set.
    /// - Events that the last wait took and ``nextEvent()`` has not delivered yet are not in the kernel any more, so they do
    ///   not make it readable: take them all before you wait outside.
    /// - It stays the same, and stays watched, when the kernel's set is made anew. Two cases are exceptions. In a child of
    ///   `fork(2)` it is another one under the same number from the child's first call on; what the child inherited of
    ///   the registrations of it speaks of its parent's set. When the set's own numbers were closed behind its back, it is
    ///   gone. Ask for it anew in both, and register that.
    /// - It may be readable with nothing to deliver: for a ghost, until that is ended.
    /// - It counts as two of the five sets that can watch each other in a row.
    ///
    /// - Throws: `EMFILE`, `ENFILE`, `ENOMEM`, `ENOSPC` when it has to be made and cannot be.
    public var descriptor: BorrowedDescriptor {
        mutating get throws(Errno) {
            try noticeFork()
            _ = try madeLostSetAnew()
            if gate < 0 || !gateIsOurs { gate = try Self.makeGate(to: kernel.epoll).release().rawValue }
            return BorrowedDescriptor(rawValue: gate)
        }
    }

    private static func makeGate(to epoll: borrowing Epoll) throws(Errno) -> OwnedDescriptor {
        let gate = try Epoll()
        try gate.add(epoll.descriptor, .readable, token: 0)
        return gate.release()
    }

    /// True if the gate's number is still the gate's: only that has the kernel's set. To be asked while the kernel's set is
    /// intact.
    ///
    /// In a child the gate is the parent's, which may have moved it to a set that the child does not have, and must not be
    /// changed even for a moment. There any epoll file is taken for it: wrong only where the program closed this very number
    /// behind the set's back, and not the set's others, and then opened an epoll set that got it.
    private var gateIsOurs: Bool {
        let (isParent, inner, mark) = (stamp.isCurrent, kernel.epoll.descriptor, kernel.mark.descriptor)
        return BorrowedDescriptor(rawValue: gate).with(Epoll.self) { gate in
            if isParent { return gate.isWatching(inner) }
            // The mark is in no gate. What is no epoll file says EINVAL, a number that is not open EBADF.
            do throws(Errno) { try gate.remove(mark) } catch { return error == .noSuchFileOrDirectory }
            return false
        }
    }

    /// Lets the gate watch the set that is about to take the place of the kernel's.
    mutating func moveGate(to new: borrowing Epoll, _ isIntact: Bool) throws(Errno) {
        guard gate >= 0 else { return }
        guard isIntact && gateIsOurs else {
            // The number may be a stranger's by now.
            gate = -1
            return
        }
        if stamp.isCurrent {
            let (before, after) = (kernel.epoll.descriptor, new.descriptor)
            try BorrowedDescriptor(rawValue: gate).with(Epoll.self) { (gate) throws(Errno) in
                try gate.add(after, .readable, token: 0)
                // A child of fork(2) may keep the old one alive, so that closing it would not do.
                try? gate.remove(before)
            }
        } else {
            // The gate is the parent's. Who knows its number in the child means the child's.
            let own = try Self.makeGate(to: new)
            let (source, target) = (own.descriptor.rawValue, gate)
            _ = try systemCall { dup3(source, target, O_CLOEXEC) }
        }
    }

    /// Closes the gate for the set's end.
    func closeGate(_ isIntact: Bool) {
        guard gate >= 0 && isIntact && gateIsOurs else { return }
        _ = OwnedDescriptor(owning: FileDescriptor(rawValue: gate))
    }
}
