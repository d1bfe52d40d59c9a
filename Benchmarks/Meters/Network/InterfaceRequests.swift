import CBenchExtras
import Glibc
import LinuxDescriptors

/// What `ioctl(2)` tells of an interface of the calling thread's network namespace (`netdevice(7)`, `ethtool(8)`); no
/// request changes anything, and none needs a privilege. The numbers are those of `<linux/sockios.h>` and
/// `<linux/ethtool.h>`.
struct InterfaceRequests {
    /// Any socket of the namespace, borrowed.
    let socket: BorrowedDescriptor
    let name: String

    /// `SIOCGIFMTU`.
    var mtuBytes: Int? {
        var request = InterfaceRequest(name)
        guard unsafe c_interface_request(socket.rawValue, 0x8921, &request) == 0 else { return nil }
        return Int(request.number)
    }

    /// `ETHTOOL_GDRVINFO`: a text of 32 bytes.
    var driver: String? {
        guard let answer = ask([0x3], words: 64) else { return nil }
        return text(answer, from: 1)
    }

    /// `ETHTOOL_GSET`: 16 bits of the speed at byte 12 and 16 at byte 28, all of them set if it is not known.
    var speedMbitPerS: Int? {
        guard let answer = ask([0x1], words: 11) else { return nil }
        let speed = (answer[7] & 0xffff) << 16 | (answer[3] & 0xffff)
        return speed == 0 || speed >= 0xffff_ffff ? nil : Int(speed)
    }

    /// The names of the features that are on. Their numbers differ from kernel to kernel, so that the names are asked for:
    /// `ETHTOOL_GSSET_INFO`, `ETHTOOL_GSTRINGS`, `ETHTOOL_GFEATURES`.
    var features: Set<String>? {
        // ETH_SS_FEATURES is 4: a bit of the mask, whose low word comes first on every processor Swift runs on.
        guard let counted = ask([0x37, 0, 1 << 4, 0], words: 8), counted[2] == 1 << 4 else { return nil }
        let count = Int(counted[4])
        let blocks = (count + 31) / 32
        guard (1...4096).contains(count), let names = ask([0x1b, 4, UInt32(count)], words: 3 + 8 * count),
            let states = ask([0x3a, UInt32(blocks)], words: 2 + 4 * blocks)
        else { return nil }
        // Of each block the words that are available, requested, active and never changed.
        let active = (0..<count).filter { states[2 + $0 / 32 * 4 + 2] & 1 << UInt32($0 % 32) != 0 }
        return Set(active.map { text(names, from: 3 + 8 * $0) })
    }

    /// Asks an `ETHTOOL_…` command with the words that it begins with, and gives it room for so many.
    private func ask(_ command: [UInt32], words: Int) -> [UInt32]? {
        var answer = command + [UInt32](repeating: 0, count: words - command.count)
        let result = unsafe answer.withUnsafeMutableBytes { room in
            var request = InterfaceRequest(name)
            request.memory = UInt(bitPattern: room.baseAddress)
            // SIOCETHTOOL.
            return unsafe c_interface_request(socket.rawValue, 0x8946, &request)
        }
        return result == 0 ? answer : nil
    }

    /// A text of at most 32 bytes that begins with a word.
    private func text(_ words: [UInt32], from first: Int) -> String {
        unsafe words[first..<first + 8].withUnsafeBytes {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

/// `struct ifreq`: a name of 15 bytes at the most, and a union that is a number or the place of more.
private struct InterfaceRequest {
    private var name: (UInt64, UInt64) = (0, 0)
    /// The union's first word, as a pointer.
    var memory: UInt = 0
    private var unused: (UInt64, UInt64) = (0, 0)

    init(_ text: String) {
        unsafe withUnsafeMutableBytes(of: &name) { unsafe $0.copyBytes(from: text.utf8.prefix(15)) }
    }

    /// The union as an `int`.
    var number: CInt { CInt(truncatingIfNeeded: memory) }
}
