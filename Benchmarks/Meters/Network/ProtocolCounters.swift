/// Counters of the protocols, as the kernel keeps them for the calling thread's network namespace (`proc(5)`,
/// `/proc/net/snmp`, `netstat` and `snmp6`).
///
/// They are named as `nstat -az` does, with a space before the second part: `TcpExt ListenOverflows`.
struct ProtocolCounters: Equatable {
    private var values: [String: UInt64] = [:]

    /// Reads those that are wanted; of IPv6 the names have one part, as `Udp6RcvbufErrors`.
    ///
    /// - Parameter folder: `/proc/net` would be that of the process's first thread, which may have another namespace.
    static func read(_ wanted: Set<String>, folder: String = networkFolder) -> ProtocolCounters {
        var counters = ProtocolCounters()
        for file in ["snmp", "netstat"] { counters.addPairs(readLines("\(folder)/\(file)"), wanted) }
        counters.addSingles(readLines("\(folder)/snmp6"), wanted)
        return counters
    }

    /// Nil of what this kernel does not count, and where it cannot be read.
    subscript(name: String) -> UInt64? { values[name] }

    /// Lines in pairs that begin alike, names above values.
    mutating func addPairs(_ lines: [Substring], _ wanted: Set<String>) {
        for (names, numbers) in zip(lines, lines.dropFirst()) {
            let (names, numbers) = (names.split(separator: " "), numbers.split(separator: " "))
            guard let group = names.first, group == numbers.first, group.hasSuffix(":") else { continue }
            let prefix = group.dropLast() + " "
            // A line of names has no number, so that values are never taken for names of the pair behind.
            guard names.count == numbers.count, wanted.contains(where: { $0.hasPrefix(prefix) }) else { continue }
            for (name, number) in zip(names, numbers).dropFirst() {
                let full = String(prefix + name)
                if wanted.contains(full), let value = UInt64(number) { values[full] = value }
            }
        }
    }

    /// Lines of a name and a value each.
    mutating func addSingles(_ lines: [Substring], _ wanted: Set<String>) {
        for line in lines {
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count == 2, let value = UInt64(words[1]), wanted.contains(String(words[0])) else { continue }
            values[String(words[0])] = value
        }
    }
}

/// Where `/proc` shows the calling thread's network namespace (Linux 3.17).
let networkFolder = "/proc/thread-self/net"
