import Glibc
import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// A counter and a second descriptor of the same open file description, as a program's other half would hold it.
struct SharedCounter: ~Copyable {
    let duplicate: EventFD

    /// Makes a counter and returns the other descriptor of it.
    static func make() throws(Errno) -> (descriptor: CInt, duplicate: CInt) {
        let counter = try EventFD().release()
        let duplicate = try counter.duplicate()
        return (counter.release().rawValue, duplicate.release().rawValue)
    }
}

func owned(_ number: CInt) -> OwnedDescriptor { OwnedDescriptor(owning: FileDescriptor(rawValue: number)) }

/// Adds to a counter by one of its numbers.
func add(_ amount: UInt64, to number: CInt) {
    var amount = amount
    _ = write(number, &amount, 8)
}

/// Takes what a counter holds.
@discardableResult func take(_ number: CInt) -> UInt64 {
    var amount: UInt64 = 0
    return read(number, &amount, 8) == 8 ? amount : 0
}

/// Numbers from a seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
