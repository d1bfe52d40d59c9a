/// What client and server say to each other.
package enum WireProtocol: String, Sendable, CaseIterable, Codable {
    /// A message comes back as it was sent, and every byte of it is checked.
    case echo
    /// HTTP/1.1 (RFC 9112).
    case http
    /// RESP, the protocol of Redis.
    case redis
    /// The text protocol of memcached.
    case memcached
    /// Given bytes are sent, and a given number of bytes, or bytes up to a given text, come back.
    case bytes

    /// True if all requests of a run have the same length.
    package var hasFixedLength: Bool { self == .echo || self == .bytes }
}
