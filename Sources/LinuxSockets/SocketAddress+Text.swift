import CSocketExtras
import Glibc

extension SocketAddress: CustomStringConvertible {
    /// Reads a numeric address, `192.0.2.1`, `2001:db8::1` or `fe80::1%eth0`; nil for anything else, names included.
    ///
    /// What follows `%` is the address's scope (RFC 4007): the name of an interface that exists now, or the index of any.
    public init?(numeric text: String, port: UInt16) {
        // A zero would end the text for C.
        guard !text.utf8.contains(0) else { return nil }
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        guard let numeric = parts.first.map(String.init) else { return nil }
        var v4 = in_addr()
        var v6 = in6_addr()
        if parts.count == 1, unsafe inet_pton(AF_INET, numeric, &v4) == 1 {
            self.init(storage: .v4(address: UInt32(bigEndian: v4.s_addr), port: port))
        } else if unsafe inet_pton(AF_INET6, numeric, &v6) == 1 {
            guard let scope = parts.count == 1 ? 0 : interfaceIndex(String(parts[1])) else { return nil }
            self.init(storage: .v6(address: IPv6Bytes(v6), port: port, scope: scope))
        } else {
            return nil
        }
    }

    /// `127.0.0.1:80`, `[::1]:80` or `[fe80::1%eth0]:80`, with the index where no interface has it; `unix:/run/socket`,
    /// `unix:@abstract`, `unix:` without a name; `family 16: 00ff` of what is none of these.
    ///
    /// In names, bytes that are no UTF-8, characters that do not show themselves, backslashes and an `@` that begins a
    /// path appear as `\x0a`, so that it always is one line and of one address.
    public var description: String {
        switch storage {
        case .v4(let address, let port):
            let bytes = [24, 16, 8, 0].map { String((address >> $0) & 0xff) }
            return bytes.joined(separator: ".") + ":\(port)"
        case .v6(let address, let port, let scope):
            return "[" + address.text + (scope == 0 ? "" : "%" + interfaceName(scope)) + "]:\(port)"
        case .unixPath(let bytes):
            return "unix:"
                + (bytes.first == UInt8(ascii: "@") ? "\\x40" + printable(bytes.dropFirst()) : printable(bytes[...]))
        case .unixAbstract(let bytes): return "unix:@" + printable(bytes[...])
        case .unixUnnamed: return "unix:"
        case .other(let family, let bytes): return "family \(family): " + bytes.map(hexadecimal).joined()
        }
    }
}

extension IPv6Bytes {
    init(_ native: in6_addr) {
        (high, low) = unsafe withUnsafeBytes(of: native) {
            (
                UInt64(bigEndian: unsafe $0.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: unsafe $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }

    var native: in6_addr {
        var native = in6_addr()
        unsafe withUnsafeMutableBytes(of: &native) {
            unsafe $0.storeBytes(of: high.bigEndian, as: UInt64.self)
            unsafe $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return native
    }

    /// The shortest way to write it (`inet_ntop(3)`).
    fileprivate var text: String {
        var native = native
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        unsafe inet_ntop(AF_INET6, &native, &text, socklen_t(INET6_ADDRSTRLEN))
        return string(text)
    }
}

/// The index of an interface by its name, or the number that the text is; nil if it is neither.
private func interfaceIndex(_ text: String) -> UInt32? {
    let index = unsafe if_nametoindex(text)
    if index != 0 { return index }
    return text.utf8.allSatisfy { (48...57).contains($0) } ? UInt32(text) : nil
}

/// The name of an interface, or its index in digits where there is none.
private func interfaceName(_ index: UInt32) -> String {
    var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
    return unsafe if_indextoname(index, &name) == nil ? String(index) : string(name)
}

private func string(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
}

private func printable(_ bytes: ArraySlice<UInt8>) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
        return bytes.map { byte in
            let isPlain = (32..<127).contains(byte) && byte != UInt8(ascii: "\\")
            return isPlain ? String(UnicodeScalar(byte)) : "\\x" + hexadecimal(byte)
        }.joined()
    }
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator,
            _ where scalar == "\\":
            for byte in String(scalar).utf8 { result += "\\x" + hexadecimal(byte) }
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}

private func hexadecimal(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
}
