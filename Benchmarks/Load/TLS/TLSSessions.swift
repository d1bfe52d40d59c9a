import Glibc
import Meters
import SystemPackage

/// The TLS sessions of one client thread's connections, by number.
///
/// Everything here works on nonblocking sockets and never waits, except ``connect(_:_:)``. All memory of its own is
/// allocated at once; OpenSSL allocates for each session, and for some records.
@safe final class TLSSessions {
    @safe private struct Session {
        var object: OpenSSL.Object?
        var socket = SocketCalls.Socket()
        /// Nothing more can be said, not even farewell.
        var hasFailed = false
        /// What stopped the last ``TLSSessions/send(_:_:_:)`` after some bytes; 0 if nothing did.
        var sendOutcome = 0
    }

    private let context: TLSContext
    private let library: OpenSSL
    private let capacity: Int
    private let sessions: UnsafeMutablePointer<Session>
    /// Why the last call failed that returned `EPROTO`.
    private(set) var failure: FailureTally.Cause?
    /// Why the last session could not be made.
    private var refusal = noMemory
    private static let noMemory = FailureTally.Cause.tls("BIO_new", "no memory")
    /// Version and cipher of the first session that received something; empty before.
    private(set) var negotiated = ""

    init(_ context: TLSContext, capacity: Int) {
        self.context = context
        library = context.library
        self.capacity = capacity
        unsafe sessions = .allocate(capacity: capacity)
        unsafe sessions.initialize(repeating: Session(), count: capacity)
    }

    deinit {
        for index in 0..<capacity {
            if let object = unsafe sessions[index].object { unsafe library.SSL_free(object) }
        }
        unsafe sessions.deallocate()
    }

    /// Prepares a session on a connection, which stays its owner's. The first ``send(_:_:_:)`` or ``receive(_:_:_:)``
    /// begins the handshake.
    func open(_ index: Int, _ descriptor: CInt) {
        let session = unsafe sessions + index
        unsafe session.pointee = Session()
        unsafe session.pointee.socket.descriptor = descriptor
        let object: OpenSSL.Object
        do throws(SessionRefusal) {
            unsafe object = try context.makeSession()
        } catch {
            refusal = error.cause
            return
        }
        guard let bio = unsafe library.BIO_new(context.method) else {
            unsafe library.SSL_free(object)
            refusal = Self.noMemory
            return
        }
        unsafe library.BIO_set_data(bio, session.pointer(to: \.socket))
        unsafe library.BIO_set_init(bio, 1)
        unsafe library.SSL_set_bio(object, bio, bio)
        unsafe session.pointee.object = object
    }

    /// Ends a session, whose connection is about to be closed: says so if it was in order.
    func close(_ index: Int) {
        guard let object = unsafe sessions[index].object else { return }
        if unsafe !sessions[index].hasFailed && library.SSL_is_init_finished(object) == 1 {
            library.ERR_clear_error()
            _ = unsafe library.SSL_shutdown(object)
        }
        unsafe library.SSL_free(object)
        unsafe sessions[index].object = nil
    }

    /// Sends, record by record until one is not taken; as many bytes as were, or the negative error, `EPROTO` for a
    /// ``failure``. What stopped it after some bytes is told by the next call.
    func send(_ index: Int, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        guard let object = unsafe sessions[index].object else { return refused() }
        let earlier = unsafe sessions[index].sendOutcome
        unsafe sessions[index].sendOutcome = 0
        if earlier != 0 { return earlier }
        var sent = 0
        while sent < count {
            library.ERR_clear_error()
            let written = unsafe library.SSL_write(object, bytes + sent, CInt(clamping: count - sent))
            guard written <= 0 else {
                sent += Int(written)
                continue
            }
            let end = unsafe outcome(index, object, written, "SSL_write")
            let outcome = end == 0 ? -Int(EPIPE) : end
            if sent == 0 { return outcome }
            unsafe sessions[index].sendOutcome = outcome
            break
        }
        return sent
    }

    /// Receives; how many bytes, 0 after an end in order, or the negative error, `EPROTO` for a ``failure``.
    func receive(_ index: Int, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
        guard let object = unsafe sessions[index].object else { return refused() }
        library.ERR_clear_error()
        let received = unsafe library.SSL_read(object, buffer, CInt(clamping: count))
        guard received > 0 else { return unsafe outcome(index, object, received, "SSL_read") }
        if negotiated.isEmpty { unsafe noteNegotiated(object) }
        return Int(received)
    }

    /// True if neither the socket nor the session held more when they were last asked; what comes later is an event.
    func isDrained(_ index: Int) -> Bool { unsafe sessions[index].socket.isDrained && !hasPending(index) }

    /// True if bytes were received that nobody has taken.
    func hasPending(_ index: Int) -> Bool {
        guard let object = unsafe sessions[index].object else { return false }
        return unsafe library.SSL_has_pending(object) == 1
    }

    /// True if a handshake waits for the peer: it has begun, which takes a connection that is made, and has not ended.
    func isHandshakeStalled(_ index: Int) -> Bool {
        guard let object = unsafe sessions[index].object else { return false }
        return unsafe sessions[index].socket.hasSent && library.SSL_is_init_finished(object) == 0
    }

    /// True if the peer closed the connection without ending the session before, as somebody else can do.
    func isTruncated(_ index: Int) -> Bool { unsafe sessions[index].socket.hasEnded && sessions[index].hasFailed }

    /// Makes all handshakes: begins them, then waits for one after the other.
    ///
    /// - Throws: `ECANCELED` if the run is given up; `EPROTO` if one failed, whose reason is noted at the start.
    func connect(_ descriptors: [CInt], _ start: ClientStart) throws(Errno) {
        for (index, descriptor) in descriptors.enumerated() {
            guard !start.isGivenUp else { throw .canceled }
            open(index, descriptor)
            _ = try step(index, start)
        }
        for (index, descriptor) in descriptors.enumerated() {
            let deadline = monotonicNanoseconds() + RunWindow.graceNanoseconds
            while try !step(index, start) {
                guard !start.isGivenUp else { throw .canceled }
                guard monotonicNanoseconds() < deadline else { throw refused(.stalledHandshake, start) }
                // A first message is small enough for any socket's buffer: only answers are waited for.
                var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                _ = unsafe poll(&entry, 1, 100)
            }
        }
    }

    /// Goes on with a handshake; true if it is done.
    private func step(_ index: Int, _ start: ClientStart) throws(Errno) -> Bool {
        guard let object = unsafe sessions[index].object else { throw refused(refusal, start) }
        library.ERR_clear_error()
        let result = unsafe library.SSL_do_handshake(object)
        if result == 1 { return true }
        let outcome = unsafe outcome(index, object, result, "SSL_connect")
        if outcome == -Int(EAGAIN) { return false }
        throw refused(failure ?? .init("SSL_connect", CInt(-outcome)), start)
    }

    /// There is no session.
    private func refused() -> Int {
        failure = refusal
        return -Int(EPROTO)
    }

    private func refused(_ cause: FailureTally.Cause, _ start: ClientStart) -> Errno {
        start.note(cause)
        return Errno(rawValue: EPROTO)
    }

    /// What a call that did not succeed means: 0 for the end of the session, else a negative error.
    private func outcome(_ index: Int, _ object: OpenSSL.Object, _ result: CInt, _ call: String) -> Int {
        let code = unsafe library.SSL_get_error(object, result)
        // SSL_ERROR_WANT_READ and SSL_ERROR_WANT_WRITE: either is an event, after which both directions are tried.
        if code == 2 || code == 3 { return -Int(EAGAIN) }
        let isHandshake = unsafe library.SSL_is_init_finished(object) == 0
        // SSL_ERROR_ZERO_RETURN
        if code == 6 && !isHandshake { return 0 }
        unsafe sessions[index].hasFailed = true
        let socket = unsafe sessions[index].socket
        // What OpenSSL refuses it tells the peer, which may have gone by then: that is not why it failed.
        if let reason = unsafe reason(object) {
            failure = .tls(isHandshake ? "SSL_connect" : call, reason)
        } else if socket.error != 0 {
            guard isHandshake else { return -Int(socket.error) }
            failure = .onConnection("SSL_connect", socket.error, isFirst: true)
        } else if socket.hasEnded {
            failure = isHandshake ? .endedHandshake : .truncated
        } else {
            failure = .tls(isHandshake ? "SSL_connect" : call, "failed")
        }
        return -Int(EPROTO)
    }

    /// What OpenSSL says of its own, which is not that the stream has ended: version 1.1 does not say so.
    private func reason(_ object: OpenSSL.Object) -> String? {
        guard let reason = library.reason, reason != "unexpected eof while reading" else { return nil }
        let verification = unsafe library.SSL_get_verify_result(object)
        guard verification != 0, reason == "certificate verify failed",
            let detail = unsafe library.X509_verify_cert_error_string(verification)
        else { return reason }
        return unsafe "\(reason) (\(String(cString: detail)))"
    }

    private func noteNegotiated(_ object: OpenSSL.Object) {
        guard let version = unsafe library.SSL_get_version(object),
            let cipher = unsafe library.SSL_CIPHER_get_name(library.SSL_get_current_cipher(object))
        else { return }
        negotiated = unsafe "\(String(cString: version)) \(String(cString: cipher))"
    }
}
