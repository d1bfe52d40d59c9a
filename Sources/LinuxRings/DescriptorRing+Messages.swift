import CIOUring
import LinuxDescriptors
public import SystemPackage

/// Messages from ring to ring: see ``RingAddress``.
extension DescriptorRing {
    /// What the events of messages and of wakes carry, which belong to no descriptor. It is never live.
    public var ownToken: RingToken { RingToken(index: .max, generation: 0, ring: slots.ring) }

    /// What another ring needs to send messages to this one.
    ///
    /// - Throws: `ENOTSUP` before Linux 5.18, where ``makeWaker()`` is what there is; `ESTALE` in a child; `EMFILE`.
    public mutating func address() throws(Errno) -> RingAddress {
        try ensureUsable()
        guard offers(IORING_OP_MSG_RING) else { throw .notSupported }
        let life = life ?? RingLife()
        self.life = life
        return RingAddress(owned: try ring.descriptor.duplicate(), secret: secret, life: life)
    }

    /// Takes the address of another ring over, to send messages to it.
    ///
    /// - Throws: `ENOTSUP` before Linux 5.18, `ESTALE` in a child.
    public mutating func insert(peer address: consuming RingAddress) throws(Errno) -> RingPeer {
        try ensureUsable()
        guard offers(IORING_OP_MSG_RING) else { throw .notSupported }
        let (secret, life) = (address.secret, address.life)
        let owned = address.release()
        let identity = try FileIdentity(of: owned.descriptor)
        return RingPeer(token: slots.insert(owned.release().rawValue, identity, .peer), secret: secret, life: life)
    }

    /// Queues a message to another ring (`IORING_OP_MSG_RING`, Linux 5.18), which arrives there as an event
    /// (``RingOperation/message``) with `value` as its result. It is sent when the queue is handed over.
    ///
    /// This ring gets an event, too (``RingOperation/post``), with the result 0, or with `EOVERFLOW` or `ENOMEM` when the
    /// kernel had no memory to keep the message, or `EBADFD` when the receiver cannot be written to.
    ///
    /// - Throws: `EPIPE` when the receiver has ended; a message to one that ends later is lost without a word. `ENOENT`
    ///   for a peer that was closed or is another ring's, `ESTALE` in a child, and what ``Ring/submit()`` throws when the
    ///   queue was full.
    /// - Precondition: the value is not below 0, where it would read as an error.
    @discardableResult public mutating func prepareMessage(
        _ peer: RingPeer, _ value: Int32 = 0
    ) throws(Errno) -> RingRequest {
        precondition(value >= 0, "a message below 0 would read as an error")
        let member = unsafe try live(peer.token)
        if peer.life.hasEnded { throw .brokenPipe }
        let identifier = requests.nextIdentifier()
        let receiver = unsafe BorrowedDescriptor(rawValue: member.pointee.number)
        try ring.prepareMessage(to: receiver, result: value, messageToken: peer.secret, token: identifier)
        unsafe requests.begin(.post, on: peer.token.index, &member.pointee.firstRequest)
        return RingRequest(identifier: identifier, ring: slots.ring)
    }

    /// What no request of the ring caused.
    @unsafe mutating func resolveForeign(_ completion: RawCompletion) -> RingEventParts? {
        guard completion.token == secret else {
            foreign += 1
            return nil
        }
        return unsafe RingEventParts(
            token: ownToken, operation: .message, isArmed: true, .nothing, result: completion.result)
    }
}
