import Glibc

// The names are those of the manual pages.
// swift-format-ignore: AlwaysUseLowerCamelCase
/// HMAC-SHA256 (RFC 2104) of this machine's OpenSSL: a tag that only who knows the key can make.
@safe package struct MessageAuthentication: Sendable {
    /// Bytes of a tag.
    package static let tagBytes = 32

    private let EVP_sha256: @Sendable @convention(c) () -> OpaquePointer?
    private let HMAC:
        @Sendable @convention(c) (
            OpaquePointer?, UnsafeRawPointer?, CInt, UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<UInt8>?,
            UnsafeMutablePointer<CUnsignedInt>?
        ) -> UnsafeMutablePointer<UInt8>?

    /// That of this machine; nil where there is no libcrypto.
    package static let installed = MessageAuthentication(anyOf: ["libcrypto.so.3", "libcrypto.so.1.1"])

    /// Loads the first library that there is.
    package init?(anyOf names: [String]) {
        guard let library = SharedLibrary(anyOf: names) else { return nil }
        do {
            unsafe EVP_sha256 = try library.find("EVP_sha256")
            unsafe HMAC = try library.find("HMAC")
        } catch {
            return nil
        }
    }

    /// The tag of a message; nil if OpenSSL fails, as it does without memory.
    package func tag(of message: [UInt8], key: [UInt8]) -> [UInt8]? {
        var tag = [UInt8](repeating: 0, count: Self.tagBytes)
        var length: CUnsignedInt = 0
        let result = unsafe HMAC(EVP_sha256(), key, CInt(key.count), message, message.count, &tag, &length)
        return unsafe result != nil && length == Self.tagBytes ? tag : nil
    }

    /// Whether two tags are the same, in a time that does not tell where they differ.
    package static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        guard one.count == other.count else { return false }
        return zip(one, other).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// Bytes that nobody can foretell: Swift's own generator takes them from `getrandom(2)`.
    package static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}
