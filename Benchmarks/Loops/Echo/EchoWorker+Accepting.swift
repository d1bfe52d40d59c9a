import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

extension EchoWorker {
    /// Takes a new connection from a listener; nil if none is there, or if there is no descriptor or no memory for it:
    /// then ``hasShortage``.
    mutating func accept(from listener: CInt) throws(Errno) -> CInt? {
        while let connection = try acceptAny(from: listener) {
            guard try admits(connection.descriptor.rawValue) else {
                try connection.close()
                meter.add(.systemCalls)
                continue
            }
            let fd = connection.release().release().rawValue
            connections.began(fd)
            progress += 1
            return fd
        }
        return nil
    }

    /// True if there is room for a new connection; if not, that is counted.
    ///
    /// - Throws: `EMFILE` where clients were to see that there are not too many.
    func admits(_ number: CInt) throws(Errno) -> Bool {
        guard let mostConnections else {
            if number >= connections.capacity { throw .tooManyOpenFiles }
            return true
        }
        if connections.openOfAll < mostConnections && number < connections.capacity { return true }
        fail(.tooManyConnections)
        return false
    }

    private mutating func acceptAny(from listener: CInt) throws(Errno) -> Connection? {
        if hasShortage && monotonicNanoseconds() < retryTime {
            retryLater(listener)
            return nil
        }
        meter.add(.systemCalls)
        let accepted: Connection?
        do throws(Errno) {
            accepted = try acceptConnection(from: BorrowedDescriptor(rawValue: listener), acceptOptions)
        } catch {
            guard error.isShortage else { throw error }
            try noteShortage(error, meter)
            retryLater(listener)
            retryTime = monotonicNanoseconds() + shortagePauseNanoseconds
            return nil
        }
        guard let connection = accepted else {
            meter.add(.emptyCalls)
            return nil
        }
        return connection
    }

    /// True while a listener has connections that descriptors or memory were missing for. A wait then needs a limit: an
    /// edge-triggered set does not report them again.
    var hasShortage: Bool { !listenersToRetry.isEmpty }

    /// Ends a batch during a shortage: sleeps if it brought nothing, because a level-triggered set reports the listener
    /// again at once, and returns the listeners that are to be tried again now.
    mutating func pauseInShortage(since before: UInt64) -> [CInt] {
        if progress == before {
            meter.add(.systemCalls)
            sleepUntil(nanoseconds: retryTime)
        }
        if monotonicNanoseconds() < retryTime { return [] }
        defer { listenersToRetry = [] }
        return listenersToRetry
    }

    private mutating func retryLater(_ listener: CInt) {
        if !listenersToRetry.contains(listener) { listenersToRetry.append(listener) }
    }
}
