import Glibc
import Meters

/// The bytes of a datagram: its number, as much of it as fits, and then a slice of a pattern that the number picks.
@safe struct DatagramPattern: ~Copyable {
    let bytes: Int
    /// Bytes of the number that a datagram carries: 8, or all of a shorter one.
    let numberBytes: Int
    private let pattern: MessagePattern

    init(bytes: Int) {
        self.bytes = bytes
        numberBytes = min(bytes, 8)
        pattern = MessagePattern(bytes: bytes)
    }

    /// Datagrams of one socket that can be told apart while they are in flight: half of all numbers, so that one which comes
    /// late is seldom taken for a new one.
    var mostInFlight: Int { numberBytes > 2 ? 1 << 20 : 1 << (8 * numberBytes - 1) }

    /// Writes a datagram.
    @unsafe func write(_ number: UInt64, to memory: UnsafeMutableRawPointer) {
        var word = number.littleEndian
        unsafe memory.copyMemory(from: &word, byteCount: numberBytes)
        unsafe (memory + numberBytes).copyMemory(from: pattern.slice(number), byteCount: bytes - numberBytes)
    }

    /// The number of a datagram: the last one before `next` that ends in what it carries.
    @unsafe func number(_ memory: UnsafeRawPointer, before next: UInt64) -> UInt64 {
        var word: UInt64 = 0
        unsafe withUnsafeMutableBytes(of: &word) {
            unsafe $0.copyMemory(from: UnsafeRawBufferPointer(start: memory, count: numberBytes))
        }
        let mask = numberBytes == 8 ? UInt64.max : 1 << UInt64(8 * numberBytes) - 1
        let last = next &- 1
        return last &- ((last &- UInt64(littleEndian: word)) & mask)
    }

    /// True if the memory holds this datagram, every byte of it.
    @unsafe func matches(_ number: UInt64, _ memory: UnsafeRawPointer) -> Bool {
        unsafe memcmp(memory + numberBytes, pattern.slice(number), bytes - numberBytes) == 0
    }
}
