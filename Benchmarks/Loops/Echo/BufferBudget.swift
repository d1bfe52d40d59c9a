package import Meters

// How many buffers a worker's group has, and of which size: enough for every request in flight, within what a group can
// hold and 64 MiB.

extension Traffic {
    /// Buffers of a worker's group that has so many connections, of ``chunkBytes`` each.
    func bufferCount(for own: Int) -> Int {
        let request = wire == .echo ? messageBytes : requestBytes
        let chunks = max(1, depth * request / chunkBytes)
        return Self.within(2 * max(own, connections) * chunks, of: chunkBytes)
    }

    private static var mostBufferBytes: Int { 64 << 20 }

    fileprivate static func within(_ wanted: Int, of bytes: Int) -> Int {
        max(8, min(wanted, 1 << 15, mostBufferBytes / bytes))
    }
}

extension EchoJob {
    /// As much room as a group of whole buffers has, in other pieces: of a request, or of 4 KiB where their length is not
    /// known beforehand; filled bit by bit, of 16 KiB or 16 such chunks at least.
    func partedRoom(_ connections: Int) -> (count: Int, bytes: Int) {
        let chunk = traffic.chunkBytes
        let bytes: Int
        if plan.loop.mode.options.incrementalBuffers {
            bytes = max(chunk, min(max(16 * chunk, 16384), 1 << 20))
        } else {
            bytes = traffic.wire.hasFixedLength ? max(1, traffic.longestRequestBytes) : 4096
        }
        return (Traffic.within(traffic.bufferCount(for: connections) * chunk / bytes, of: bytes), bytes)
    }
}

extension ServerPlan {
    /// Memory that the workers register with their rings, in bytes; 0 where they register none.
    package func registeredBytes(for traffic: Traffic) -> Int {
        guard loop.mode.options.zeroCopy == .registered else { return 0 }
        let own = (traffic.connections + traffic.idle + workers - 1) / workers
        // A group has a power of two of buffers.
        let wanted = traffic.bufferCount(for: own)
        let buffers = 1 << (Int.bitWidth - (wanted - 1).leadingZeroBitCount)
        return workers * buffers * (traffic.chunkBytes + traffic.longestRequestBytes)
    }
}
