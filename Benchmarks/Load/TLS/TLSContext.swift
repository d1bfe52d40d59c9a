import Glibc
import Meters

/// What the TLS connections of a run have in common; threads share it.
///
/// Sessions are not resumed, so that each handshake is a full one.
@safe package final class TLSContext: Sendable {
    let library: OpenSSL
    // Both are set up before anybody else sees them. Threads only make sessions and BIOs of them, for which OpenSSL counts
    // references atomically.
    nonisolated(unsafe) private let context: OpenSSL.Object
    /// How OpenSSL reaches a socket.
    nonisolated(unsafe) let method: OpenSSL.Object
    /// The name that the server is asked for, and that its certificate has to have; nil without.
    private let name: String?
    private let nameIsAddress: Bool
    /// Whether certificates are verified.
    private let verifies: Bool
    /// What rows call it: whether certificates are verified, and the name that is asked for.
    package let summary: String
    /// What it was made of.
    package let settings: TLSSettings

    /// Takes what another host was asked for, whose files are to be here too.
    package convenience init(_ settings: TLSSettings) throws(TLSError) {
        try self.init(authorities: settings.authorities, name: settings.name, protocols: settings.protocols)
    }

    /// Takes what a user asks for.
    ///
    /// - Parameters:
    ///   - authorities: a file of certificates (PEM) that the server's is verified against; nil to take any certificate.
    ///   - name: the server's host name or numeric address; nil to ask for none.
    ///   - protocols: what is offered to be spoken (ALPN), such as `http/1.1`.
    package init(authorities: String? = nil, name: String? = nil, protocols: [String] = []) throws(TLSError) {
        guard let library = OpenSSL.installed else { throw .missing }
        library.ERR_clear_error()
        guard let context = unsafe library.SSL_CTX_new(library.TLS_client_method()),
            let method = unsafe library.BIO_meth_new(library.BIO_get_new_index(), "socket")
        else { throw .failed(library.reason ?? "no memory") }
        self.library = library
        unsafe self.context = unsafe context
        unsafe self.method = unsafe method
        self.name = name
        settings = TLSSettings(authorities: authorities, name: name, protocols: protocols)
        nameIsAddress = name.map(Self.isAddress) ?? false
        verifies = authorities != nil
        summary = (authorities == nil ? "unverified" : "verified") + (name.map { " \($0)" } ?? "")
        _ = unsafe library.BIO_meth_set_write(method, SocketCalls.write)
        _ = unsafe library.BIO_meth_set_read(method, SocketCalls.read)
        _ = unsafe library.BIO_meth_set_ctrl(method, SocketCalls.control)
        // SSL_CTX_set_mode(3): SSL_MODE_ENABLE_PARTIAL_WRITE and SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER.
        _ = unsafe library.SSL_CTX_ctrl(context, 33, 0x1 | 0x2, nil)
        // SSL_CTX_set_read_ahead(3): a record in one call, and not its header first.
        _ = unsafe library.SSL_CTX_ctrl(context, 41, 1, nil)
        if !protocols.isEmpty {
            let list = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
            _ = unsafe library.SSL_CTX_set_alpn_protos(context, list, CUnsignedInt(list.count))
        }
        guard let authorities else { return }
        guard unsafe library.SSL_CTX_load_verify_locations(context, authorities, nil) == 1 else {
            throw .authorities(library.reason ?? "no certificate")
        }
        // SSL_VERIFY_PEER
        unsafe library.SSL_CTX_set_verify(context, 1, nil)
    }

    deinit {
        unsafe library.SSL_CTX_free(context)
        unsafe library.BIO_meth_free(method)
    }

    /// Why this machine cannot do it; nil if it can.
    package static var refusal: String? { OpenSSL.installed == nil ? "\(TLSError.missing)" : nil }

    /// A session that has not begun.
    ///
    /// - Throws: why there is none. One whose name OpenSSL refuses would take a certificate of any name.
    func makeSession() throws(SessionRefusal) -> OpenSSL.Object {
        library.ERR_clear_error()
        guard let session = unsafe library.SSL_new(context) else {
            throw SessionRefusal(cause: .tls("SSL_new", library.reason ?? "no memory"))
        }
        if let name, let call = unsafe setName(name, of: session) {
            let cause = FailureTally.Cause.tls(call, library.reason ?? "the name is refused")
            unsafe library.SSL_free(session)
            throw SessionRefusal(cause: cause)
        }
        unsafe library.SSL_set_connect_state(session)
        return unsafe session
    }

    /// Sets the name of a session. Returns the call that refused it, or nil.
    private func setName(_ name: String, of session: OpenSSL.Object) -> String? {
        if nameIsAddress {
            // An address is no name to ask for (RFC 6066); a certificate can have it.
            guard verifies else { return nil }
            guard let parameters = unsafe library.SSL_get0_param(session),
                unsafe library.X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1
            else { return "X509_VERIFY_PARAM_set1_ip_asc" }
            return nil
        }
        // SSL_set_tlsext_host_name(3), which refuses an empty name too.
        let isAsked = unsafe name.withCString {
            unsafe library.SSL_ctrl(session, 55, 0, UnsafeMutableRawPointer(mutating: $0))
        }
        guard isAsked == 1 else { return "SSL_set_tlsext_host_name" }
        guard verifies else { return nil }
        // With its length, or what follows a zero would not be verified.
        guard let parameters = unsafe library.SSL_get0_param(session),
            unsafe library.X509_VERIFY_PARAM_set1_host(parameters, name, name.utf8.count) == 1
        else { return "X509_VERIFY_PARAM_set1_host" }
        return nil
    }

    private static func isAddress(_ name: String) -> Bool {
        guard !name.utf8.contains(0) else { return false }
        var bytes = in6_addr()
        return unsafe inet_pton(AF_INET, name, &bytes) == 1 || inet_pton(AF_INET6, name, &bytes) == 1
    }
}

/// What TLS connections are asked to be, see ``TLSContext``.
package struct TLSSettings: Codable, Sendable {
    /// Path of a file of certificates; nil to take any certificate.
    package var authorities: String?
    /// The server's name; nil to ask for none.
    package var name: String?
    /// What is offered to be spoken.
    package var protocols: [String]
}

/// Why there is no session.
struct SessionRefusal: Error {
    let cause: FailureTally.Cause
}

/// Why there can be no TLS.
package enum TLSError: Error, CustomStringConvertible {
    /// The library is not there.
    case missing
    /// The file of authorities cannot be used.
    case authorities(String)
    /// OpenSSL refuses.
    case failed(String)

    package var description: String {
        switch self {
        case .missing: "OpenSSL's libssl.so.3 (or 1.1) is not installed: apt-get install libssl3"
        case .authorities(let reason), .failed(let reason): reason
        }
    }
}
