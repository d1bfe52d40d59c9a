import Glibc
public import SystemPackage

extension Errno {
    /// True of an error that says that something is used up for now: descriptors of the process (`EMFILE`) or of the
    /// machine (`ENFILE`), socket buffers (`ENOBUFS`), memory (`ENOMEM`).
    ///
    /// Of an accept (`accept(2)`) it means that the connection is still in the listener's queue. Trying again at once
    /// would spin: wait until something was closed, or for a moment.
    @inlinable public var isShortage: Bool {
        switch self {
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory: true
        default: false
        }
    }

    /// True of an error of one connection that an accept found in the queue, after which the next one can be taken at
    /// once: the peer is gone, a firewall forbids it, or the network failed meanwhile (`accept(2)`, "Error handling").
    @inlinable public var isOfOneConnection: Bool {
        switch self {
        case .connectionAbort, .protocolError, .notPermitted, .networkDown, .protocolNotAvailable, .hostIsDown,
            .noRouteToHost, .networkUnreachable, .noNetwork:
            true
        default: false
        }
    }

    /// `ENONET`, which swift-system has no name for: the machine is not on the network.
    @usableFromInline static var noNetwork: Errno { Errno(rawValue: ENONET) }
}
