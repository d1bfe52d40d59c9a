import Glibc
import LinuxDescriptors
import Meters
import SystemPackage

/// What a thread reads its signals from, and where they go; borrowed from its ``WakeChannel``.
@safe struct SignalInput {
    let descriptor: BorrowedDescriptor
    private let record: UnsafeMutableRawBufferPointer

    @unsafe init(_ descriptor: BorrowedDescriptor, into record: UnsafeMutableRawBufferPointer) {
        self.descriptor = descriptor
        unsafe self.record = record
    }

    /// Reads one signal; false if there is none: `EAGAIN`, or the end of a pipe that another thread is closing.
    @inline(__always) func take(_ meter: WorkerMeter) throws(Errno) -> Bool {
        meter.add(.systemCalls)
        let number = descriptor.rawValue
        let bytes = try nonblockingSystemCall { unsafe read(number, record.baseAddress, record.count) }
        if let bytes, bytes > 0 { return true }
        meter.add(.emptyCalls)
        return false
    }
}
