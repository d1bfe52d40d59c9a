import Synchronization

/// Connections that are polled while a worker has them.
extension EchoConnections {
    /// Notes that there is something to read; true if the connection is to be handed to a worker, false if the one that
    /// has it looks once more.
    func claim(_ fd: CInt) -> Bool {
        let turn = unsafe word(fd, .turn)
        if unsafe turn.pointee.compareExchange(expected: 0, desired: 1, ordering: .acquiringAndReleasing).exchanged {
            return true
        }
        let (isNoted, before) = unsafe turn.pointee.compareExchange(
            expected: 1, desired: 2, ordering: .acquiringAndReleasing)
        // Between the two the worker may have given it up.
        return !isNoted && before == 0 ? claim(fd) : false
    }

    /// Gives a connection up that was read to its end; false if something has come since, and it is to be read again.
    func giveUp(_ fd: CInt) -> Bool {
        let turn = unsafe word(fd, .turn)
        if unsafe turn.pointee.compareExchange(expected: 1, desired: 0, ordering: .acquiringAndReleasing).exchanged {
            return true
        }
        unsafe turn.pointee.store(1, ordering: .releasing)
        return false
    }
}

/// Connections whose bytes nobody sees.
extension EchoConnections {
    /// Notes so many more bytes of a stream; how many messages they complete.
    @inline(__always) func completed(_ fd: CInt, adding count: Int, of messageBytes: Int) -> Int {
        let word = unsafe word(fd, .tailCount)
        let total = unsafe Int(word.pointee.load(ordering: .relaxed)) + count
        unsafe word.pointee.store(UInt64(total % messageBytes), ordering: .relaxed)
        return total / messageBytes
    }

    /// Bytes of a message that is not whole.
    func partialBytes(_ fd: CInt) -> Int {
        Int(unsafe word(fd, .tailCount).pointee.load(ordering: .relaxed))
    }
}
