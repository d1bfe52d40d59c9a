import LinuxDescriptors
import Synchronization
public import SystemPackage

/// What it takes to send messages to a ``DescriptorRing``: its descriptor, duplicated, and a secret.
///
/// A message carries the secret, which only the receiver gives away. So it is told apart from what others put into the
/// completion queue, and can name none of the receiver's requests. An address goes to one ring of another thread, which
/// takes it over; several senders need one each.
///
/// ```swift
/// // on the receiving thread
/// let address = try ring.address()
///
/// // on the sending thread
/// let peer = try other.insert(peer: address)
/// try other.prepareMessage(peer, 7)
/// try other.submit()
///
/// // on the receiving thread
/// case .message: work(event.result)
/// ```
///
/// The duplicate keeps the receiver's queues in the kernel until it is closed, though not what was pending there.
@safe public struct RingAddress: ~Copyable, Sendable {
    private let owned: OwnedDescriptor
    let secret: UInt64
    let life: RingLife

    init(owned: consuming OwnedDescriptor, secret: UInt64, life: RingLife) {
        self.owned = owned
        self.secret = secret
        self.life = life
    }

    /// A second address of the same ring.
    ///
    /// - Throws: `EMFILE`.
    public func duplicate() throws(Errno) -> RingAddress {
        RingAddress(owned: try owned.duplicate(), secret: secret, life: life)
    }

    consuming func release() -> OwnedDescriptor { owned }
}

/// Another ring, to which one ``DescriptorRing`` sends messages: what ``DescriptorRing/insert(peer:)`` returns.
public struct RingPeer: Sendable {
    /// Names the duplicate of its descriptor in the sending ring, to be closed with ``DescriptorRing/close(_:)``.
    public let token: RingToken
    let secret: UInt64
    let life: RingLife
}

/// What senders share with the receiver.
final class RingLife: Sendable {
    private let isOver = Atomic<Bool>(false)

    var hasEnded: Bool { isOver.load(ordering: .relaxed) }

    func end() { isOver.store(true, ordering: .relaxed) }
}
