import Glibc
import Meters

// The names are those of the manual pages.
// swift-format-ignore: AlwaysUseLowerCamelCase
/// The functions of OpenSSL that clients use, found at run time, so that neither a build nor a plain run needs it.
///
/// Each is described in the manual page of its name, section 3. Versions 3 and 1.1 have all of them with these parameters.
@safe struct OpenSSL: Sendable {
    /// A pointer to one of OpenSSL's structs.
    typealias Object = OpaquePointer
    typealias Text = UnsafePointer<CChar>

    let TLS_client_method: @Sendable @convention(c) () -> Object?
    let SSL_CTX_new: @Sendable @convention(c) (Object?) -> Object?
    let SSL_CTX_free: @Sendable @convention(c) (Object) -> Void
    let SSL_CTX_ctrl: @Sendable @convention(c) (Object, CInt, CLong, UnsafeMutableRawPointer?) -> CLong
    let SSL_CTX_set_verify: @Sendable @convention(c) (Object, CInt, UnsafeRawPointer?) -> Void
    let SSL_CTX_load_verify_locations: @Sendable @convention(c) (Object, Text?, Text?) -> CInt
    let SSL_CTX_set_alpn_protos: @Sendable @convention(c) (Object, UnsafePointer<UInt8>, CUnsignedInt) -> CInt
    let SSL_new: @Sendable @convention(c) (Object) -> Object?
    let SSL_free: @Sendable @convention(c) (Object) -> Void
    let SSL_ctrl: @Sendable @convention(c) (Object, CInt, CLong, UnsafeMutableRawPointer?) -> CLong
    let SSL_get0_param: @Sendable @convention(c) (Object) -> Object?
    let X509_VERIFY_PARAM_set1_host: @Sendable @convention(c) (Object, Text, Int) -> CInt
    let X509_VERIFY_PARAM_set1_ip_asc: @Sendable @convention(c) (Object, Text) -> CInt
    let SSL_set_bio: @Sendable @convention(c) (Object, Object, Object) -> Void
    let SSL_set_connect_state: @Sendable @convention(c) (Object) -> Void
    let SSL_do_handshake: @Sendable @convention(c) (Object) -> CInt
    let SSL_is_init_finished: @Sendable @convention(c) (Object) -> CInt
    let SSL_read: @Sendable @convention(c) (Object, UnsafeMutableRawPointer, CInt) -> CInt
    let SSL_write: @Sendable @convention(c) (Object, UnsafeRawPointer, CInt) -> CInt
    let SSL_has_pending: @Sendable @convention(c) (Object) -> CInt
    let SSL_shutdown: @Sendable @convention(c) (Object) -> CInt
    let SSL_get_error: @Sendable @convention(c) (Object, CInt) -> CInt
    let SSL_get_verify_result: @Sendable @convention(c) (Object) -> CLong
    let X509_verify_cert_error_string: @Sendable @convention(c) (CLong) -> Text?
    let SSL_get_version: @Sendable @convention(c) (Object) -> Text?
    let SSL_get_current_cipher: @Sendable @convention(c) (Object) -> Object?
    let SSL_CIPHER_get_name: @Sendable @convention(c) (Object?) -> Text?
    let ERR_clear_error: @Sendable @convention(c) () -> Void
    let ERR_peek_error: @Sendable @convention(c) () -> CUnsignedLong
    let ERR_reason_error_string: @Sendable @convention(c) (CUnsignedLong) -> Text?
    let BIO_get_new_index: @Sendable @convention(c) () -> CInt
    let BIO_meth_new: @Sendable @convention(c) (CInt, Text) -> Object?
    let BIO_meth_free: @Sendable @convention(c) (Object) -> Void
    let BIO_meth_set_write: @Sendable @convention(c) (Object, WriteCall) -> CInt
    let BIO_meth_set_read: @Sendable @convention(c) (Object, ReadCall) -> CInt
    let BIO_meth_set_ctrl: @Sendable @convention(c) (Object, ControlCall) -> CInt
    let BIO_new: @Sendable @convention(c) (Object) -> Object?
    let BIO_set_init: @Sendable @convention(c) (Object, CInt) -> Void
    let BIO_set_data: @Sendable @convention(c) (Object, UnsafeMutableRawPointer?) -> Void
    let BIO_get_data: @Sendable @convention(c) (Object?) -> UnsafeMutableRawPointer?
    let BIO_set_flags: @Sendable @convention(c) (Object?, CInt) -> Void
    let BIO_clear_flags: @Sendable @convention(c) (Object?, CInt) -> Void

    typealias WriteCall = @Sendable @convention(c) (Object?, UnsafePointer<CChar>?, CInt) -> CInt
    typealias ReadCall = @Sendable @convention(c) (Object?, UnsafeMutablePointer<CChar>?, CInt) -> CInt
    typealias ControlCall = @Sendable @convention(c) (Object?, CInt, CLong, UnsafeMutableRawPointer?) -> CLong

    /// The library of this machine; nil where there is none.
    static let installed = OpenSSL(anyOf: ["libssl.so.3", "libssl.so.1.1"])

    /// Loads the first library that there is.
    ///
    /// - Returns: nil if none can be loaded, or lacks a function.
    init?(anyOf names: [String]) {
        guard let library = SharedLibrary(anyOf: names) else { return nil }
        do {
            @unsafe func find<Function>(_ name: String) throws(SharedLibrary.Missing) -> Function {
                unsafe try library.find(name)
            }
            unsafe TLS_client_method = try find("TLS_client_method")
            unsafe SSL_CTX_new = try find("SSL_CTX_new")
            unsafe SSL_CTX_free = try find("SSL_CTX_free")
            unsafe SSL_CTX_ctrl = try find("SSL_CTX_ctrl")
            unsafe SSL_CTX_set_verify = try find("SSL_CTX_set_verify")
            unsafe SSL_CTX_load_verify_locations = try find("SSL_CTX_load_verify_locations")
            unsafe SSL_CTX_set_alpn_protos = try find("SSL_CTX_set_alpn_protos")
            unsafe SSL_new = try find("SSL_new")
            unsafe SSL_free = try find("SSL_free")
            unsafe SSL_ctrl = try find("SSL_ctrl")
            unsafe SSL_get0_param = try find("SSL_get0_param")
            unsafe X509_VERIFY_PARAM_set1_host = try find("X509_VERIFY_PARAM_set1_host")
            unsafe X509_VERIFY_PARAM_set1_ip_asc = try find("X509_VERIFY_PARAM_set1_ip_asc")
            unsafe SSL_set_bio = try find("SSL_set_bio")
            unsafe SSL_set_connect_state = try find("SSL_set_connect_state")
            unsafe SSL_do_handshake = try find("SSL_do_handshake")
            unsafe SSL_is_init_finished = try find("SSL_is_init_finished")
            unsafe SSL_read = try find("SSL_read")
            unsafe SSL_write = try find("SSL_write")
            unsafe SSL_has_pending = try find("SSL_has_pending")
            unsafe SSL_shutdown = try find("SSL_shutdown")
            unsafe SSL_get_error = try find("SSL_get_error")
            unsafe SSL_get_verify_result = try find("SSL_get_verify_result")
            unsafe X509_verify_cert_error_string = try find("X509_verify_cert_error_string")
            unsafe SSL_get_version = try find("SSL_get_version")
            unsafe SSL_get_current_cipher = try find("SSL_get_current_cipher")
            unsafe SSL_CIPHER_get_name = try find("SSL_CIPHER_get_name")
            unsafe ERR_clear_error = try find("ERR_clear_error")
            unsafe ERR_peek_error = try find("ERR_peek_error")
            unsafe ERR_reason_error_string = try find("ERR_reason_error_string")
            unsafe BIO_get_new_index = try find("BIO_get_new_index")
            unsafe BIO_meth_new = try find("BIO_meth_new")
            unsafe BIO_meth_free = try find("BIO_meth_free")
            unsafe BIO_meth_set_write = try find("BIO_meth_set_write")
            unsafe BIO_meth_set_read = try find("BIO_meth_set_read")
            unsafe BIO_meth_set_ctrl = try find("BIO_meth_set_ctrl")
            unsafe BIO_new = try find("BIO_new")
            unsafe BIO_set_init = try find("BIO_set_init")
            unsafe BIO_set_data = try find("BIO_set_data")
            unsafe BIO_get_data = try find("BIO_get_data")
            unsafe BIO_set_flags = try find("BIO_set_flags")
            unsafe BIO_clear_flags = try find("BIO_clear_flags")
        } catch {
            return nil
        }
    }

    /// Why the last call on this thread failed, as OpenSSL says it; nil if it does not.
    var reason: String? {
        let code = ERR_peek_error()
        guard code != 0 else { return nil }
        return unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    }
}
