public import Glibc
public import SystemPackage

/// Runs a system call that returns -1 and sets `errno` when it fails, and runs it again when a signal interrupted it.
///
/// Do not wrap `close(2)` in it: the number is free after the first call, and a second one could close somebody
/// else's descriptor.
@inlinable @inline(__always)
public func systemCall<Result: FixedWidthInteger>(_ body: () -> Result) throws(Errno) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        let error = errno
        if error != EINTR { throw Errno(rawValue: error) }
    }
}

/// Like ``systemCall(_:)``, with `nil` in place of an error when the call would have to wait (`EAGAIN`).
@inlinable @inline(__always)
public func nonblockingSystemCall<Result: FixedWidthInteger>(_ body: () -> Result) throws(Errno) -> Result? {
    while true {
        let result = body()
        if result != -1 { return result }
        let error = errno
        if error == EAGAIN { return nil }
        if error != EINTR { throw Errno(rawValue: error) }
    }
}
