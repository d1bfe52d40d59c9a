import CIOUring
import LinuxDescriptors
public import SystemPackage

/// Connections in the ring's own file table instead of the process's descriptor table.
///
/// A token of a slot is used like any other: requests are queued on it, and ``close(_:)`` ends it. It has no descriptor, so
/// nothing outside of the ring can use it or close it behind the ring's back.
///
/// ```swift
/// try ring.makeSlots(count: 1024)
/// try ring.prepareAcceptIntoSlot(listener)
/// …
/// case .acceptIntoSlot:
///     if let connection = event.accepted { try ring.prepareReceive(connection, from: buffers) }
/// ```
extension DescriptorRing {
    /// Gives the ring a file table of its own with `count` empty slots (``Ring/registerFileSlots(count:)``).
    ///
    /// - Throws: `ESTALE` in a child, and what ``Ring/registerFileSlots(count:)`` throws.
    public mutating func makeSlots(count: UInt32) throws(Errno) {
        try ensureUsable()
        try ring.registerFileSlots(count: count)
    }

    /// Queues an accept that completes once for each connection and puts it into a slot (Linux 5.19). The ring owns each
    /// connection from the event on, taken or not: ``RingEvent/accepted`` names it.
    ///
    /// Without a free slot it ends with `ENFILE`, and the connection that it had taken already is closed: queue it again
    /// after a slot was emptied.
    @discardableResult public mutating func prepareAcceptIntoSlot(_ token: RingToken) throws(Errno) -> RingRequest {
        let member = unsafe try live(token)
        let identifier = requests.nextIdentifier()
        let listener = unsafe BorrowedDescriptor(rawValue: member.pointee.number)
        try ring.prepareMultishotAcceptDirect(on: listener, token: identifier)
        unsafe ring.queuedEntry(0).pointee.flags |= member.pointee.fileFlags
        unsafe requests.begin(.acceptIntoSlot, on: token.index, &member.pointee.firstRequest, .slot)
        return RingRequest(identifier: identifier, ring: slots.ring)
    }

    /// Ends a connection in a slot that nobody will hear of.
    mutating func closeUnheard(_ token: RingToken) {
        guard let member = unsafe slots.find(token), unsafe member.pointee.kind == .slot else { return }
        let number = unsafe member.pointee.number
        slots.retire(token.index)
        try? ring.emptySlot(Slot(UInt32(bitPattern: number)))
    }
}
