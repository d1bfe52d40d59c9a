public import CIOUring
import Glibc
public import SystemPackage

/// Messages of sockets: datagrams with their addresses, control data, several pieces of memory at once.
extension Ring {
    /// Queues one receive of a message (`io_uring_prep_recvmsg(3)`, `recvmsg(2)`, Linux 5.3), into all the room that it
    /// has. The result is the number of bytes; 0 after a stream's last one, and of an empty datagram.
    ///
    /// The message is lent until its completion gives it back (``MessageBuffer/takeBack(_:)``), which also says whether
    /// something was cut off (``MessageBuffer/flags``). Descriptors in control data have close-on-exec set.
    ///
    /// - Parameters:
    ///   - file: the socket.
    ///   - message: where the message goes.
    ///   - receiveFlags: how it is received.
    ///   - flags: how the submission is carried out.
    ///   - token: what the completion carries; no other pending request may.
    /// - Throws: what ``submit()`` throws when the queue was full; the message is not lent then.
    /// - Precondition: no request works on the message.
    public mutating func prepareReceiveMessage(
        _ file: RequestFile, into message: inout MessageBuffer, receiveFlags: ReceiveFlags = [],
        _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        message.ensureOwn()
        let header = unsafe message.readyToReceive()
        do {
            unsafe try prepareReceiveMessage(file, into: header, receiveFlags: receiveFlags, flags, token: token)
        } catch {
            message.removeAll()
            throw error
        }
        message.lend(to: token, forReceive: true)
    }

    /// Queues one send of what a message holds: bytes, address and control data (`io_uring_prep_sendmsg(3)`,
    /// `sendmsg(2)`, Linux 5.3). The result is the number of bytes taken, which of a stream may be fewer; to a peer that
    /// is gone it is `EPIPE`, without a signal.
    ///
    /// The message is lent until its completion gives it back (``MessageBuffer/takeBack(_:)``).
    ///
    /// - Parameters:
    ///   - file: the socket.
    ///   - message: what is sent.
    ///   - sendFlags: how it is sent.
    ///   - flags: how the submission is carried out. With ``EntryFlags/skipSuccess`` no completion gives the message
    ///     back.
    ///   - token: what the completion carries; no other pending request may.
    /// - Throws: what ``submit()`` throws when the queue was full; the message is not lent then.
    /// - Precondition: no request works on the message.
    public mutating func prepareSendMessage(
        _ file: RequestFile, from message: inout MessageBuffer, sendFlags: SendFlags = [], _ flags: EntryFlags = [],
        token: UInt64
    ) throws(Errno) {
        message.ensureOwn()
        let header = unsafe message.readyToSend()
        unsafe try prepareSendMessage(file, from: header, sendFlags: sendFlags, flags, token: token)
        message.lend(to: token, forReceive: false)
    }

    /// Queues one receive of a message into memory of the caller's (`io_uring_prep_recvmsg(3)`).
    ///
    /// Unsafe: the header and all that it points to must live until the completion came, and nobody may touch them.
    @unsafe @inlinable public mutating func prepareReceiveMessage(
        _ file: RequestFile, into header: UnsafeMutablePointer<msghdr>, receiveFlags: ReceiveFlags = [],
        _ flags: EntryFlags = [], token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        let messageFlags = UInt32(bitPattern: receiveFlags.message | closeOnExecMessage)
        unsafe io_uring_prep_recvmsg(entry, file.number, header, messageFlags)
        unsafe entry.pointee.ioprio = receiveFlags.request
        unsafe entry.pointee.flags = flags.rawValue | file.flags
        unsafe entry.pointee.user_data = token
    }

    /// Queues one send of a message in memory of the caller's (`io_uring_prep_sendmsg(3)`).
    ///
    /// Unsafe: the header and all that it points to must live until the completion came, and nobody may change them.
    @unsafe @inlinable public mutating func prepareSendMessage(
        _ file: RequestFile, from header: UnsafePointer<msghdr>, sendFlags: SendFlags = [], _ flags: EntryFlags = [],
        token: UInt64
    ) throws(Errno) {
        let entry = unsafe try nextEntry(token)
        unsafe io_uring_prep_sendmsg(
            entry, file.number, header, UInt32(bitPattern: sendFlags.message | noSignal))
        unsafe entry.pointee.ioprio = sendFlags.request
        unsafe entry.pointee.flags = flags.rawValue | file.flags
        unsafe entry.pointee.user_data = token
    }
}

/// `MSG_CMSG_CLOEXEC`: descriptors that come with a message are closed on exec.
@inlinable var closeOnExecMessage: CInt { 0x4000_0000 }
