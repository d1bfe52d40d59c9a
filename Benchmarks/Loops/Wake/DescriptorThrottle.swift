import Glibc
import LinuxDescriptors
import SystemPackage

/// How many tasks have descriptors open, and how producers wait when none is left (`EMFILE`, `ENFILE`).
///
/// A producer sleeps until consumers have closed half of what was open. Waking it for each would cost two thread
/// switches a task; waiting for all would leave the consumers without work.
package final class DescriptorThrottle: Sendable {
    /// Tasks whose descriptors are open, or being opened by a producer.
    package let open: SharedWord
    private let throttled: SharedWord
    private let over: SharedWord
    /// What each producer sleeps on.
    private let channels: [WakeChannel]
    /// A sleeping producer is woken when fewer tasks than this are open; 0 if it does not sleep.
    private let lowWatermarks: SharedWords
    private let counters = SharedWords(count: 2)

    /// - Parameter over: not 0 when all threads are to end; it must live as long as this.
    init(producers: Int, over: SharedWord) throws(Errno) {
        var channels: [WakeChannel] = []
        for _ in 0..<producers { channels.append(try WakeChannel(.eventfd, nonblocking: false)) }
        self.channels = channels
        lowWatermarks = SharedWords(count: producers)
        (open, throttled) = (counters[0], counters[1])
        self.over = over
    }

    /// Makes a task's signal; sleeps while no descriptor is left.
    ///
    /// - Returns: nil if none is left and all is over.
    /// - Throws: the error if no task has a descriptor, so that waiting would never end.
    @inline(__always) func openSignal(_ signal: WakeSignal, _ count: inout ProducerCounts) throws(Errno) -> SignalEnds?
    {
        var failedAttempts = 0
        while true {
            // Counted before it is made: another producer that gets none must not conclude that no task has one.
            let nowOpen = open.add(1)
            do throws(Errno) {
                let ends = try SignalEnds(signal, nonblocking: true)
                count.opened(nowOpen)
                return ends
            } catch {
                guard try waitForDescriptors(error, &count, &failedAttempts) else { return nil }
            }
        }
    }

    /// - Returns: false if all is over.
    @inline(never) private func waitForDescriptors(
        _ error: Errno, _ count: inout ProducerCounts, _ failedAttempts: inout Int
    ) throws(Errno) -> Bool {
        let stillOpen = noteClosed()
        guard error == .tooManyOpenFiles || error == .tooManyOpenFilesInSystem else { throw error }
        if over.value != 0 { return false }
        guard stillOpen > 0 else {
            // Another producer may have had the descriptor, and its task may be done by now.
            failedAttempts += 1
            if failedAttempts == 100 { throw error }
            return true
        }
        failedAttempts = 0
        count.waits += 1
        sleep(count.producer, until: stillOpen / 2)
        return true
    }

    /// Counts that a task's descriptors were closed, wakes the producers whose watermark is reached, and returns how
    /// many tasks have some open.
    @inline(__always) @discardableResult func noteClosed() -> UInt64 {
        let open = open.subtract(1)
        if throttled.value != 0 { wake(open: open) }
        return open
    }

    /// Wakes the producers whose watermark is above `open`; all of them for 0.
    @inline(never) package func wake(open: UInt64) {
        for (producer, channel) in channels.enumerated() {
            let mark = lowWatermarks[producer].value
            guard mark != 0, open < mark, lowWatermarks[producer].replace(mark, by: 0) else { continue }
            _ = throttled.subtract(1)
            channel.wakeFromOutside()
        }
    }

    /// Sleeps until at most so many tasks have descriptors open, or all is over.
    private func sleep(_ producer: Int, until few: UInt64) {
        let lowWatermark = lowWatermarks[producer]
        lowWatermark.value = few + 1
        _ = throttled.add(1)
        // Consumers that closed theirs before they could see the watermark will not look again.
        if (open.value <= few || over.value != 0) && lowWatermark.exchange(0) != 0 {
            _ = throttled.subtract(1)
            return
        }
        var amount: UInt64 = 0
        let input = channels[producer].input.rawValue
        while unsafe read(input, &amount, 8) < 0 && errno == EINTR {}
    }
}
