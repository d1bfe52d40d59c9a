import Glibc
import LinuxDescriptors
import LinuxRings
import SystemPackage

/// A request that waits for room in the ring's queue.
struct UnqueuedRequest {
    let name: UInt64
    let request: Request
}

/// What has to be asked for once more: what the queue had no room for, and cancellations that found nothing.
extension RingLoop {
    /// How long a cancellation that found nothing is not repeated.
    private static var pause: Duration { .milliseconds(10) }

    /// Errors of an enter that another one may not have: completions that are taken make room, memory comes back.
    static func isPassing(_ error: Errno) -> Bool {
        [.resourceBusy, .resourceTemporarilyUnavailable, .noMemory].contains(error)
    }

    /// Nothing waits for room in the queue, and the alarm ends a wait.
    var hasAllQueued: Bool {
        unsafe own.pointee.isAlarmed && own.pointee.unsent.isEmpty && own.pointee.unqueued.isEmpty
    }

    /// How long to wait at the most; nil for ever.
    var limitOfWait: Duration? {
        if unsafe own.pointee.unsettled.isEmpty { return waitLimit }
        return min(waitLimit ?? Self.pause, Self.pause)
    }

    /// Keeps a request for the next visit.
    func keep(_ request: Request, _ name: UInt64) {
        unsafe own.pointee.unqueued.append(UnqueuedRequest(name: name, request: request))
    }

    /// Forgets a request that the kernel has not seen; false if there is none.
    func dropUnqueued(_ name: UInt64) -> Bool {
        guard let place = unsafe own.pointee.unqueued.firstIndex(where: { $0.name == name }) else { return false }
        unsafe own.pointee.unqueued.remove(at: place)
        return true
    }

    /// Takes the answer to a cancellation.
    ///
    /// A request that is between two places in the kernel, or in the hands of a kernel thread, is not found or not
    /// stopped, and may then wait for ever: it is cancelled again until it has ended.
    func settle(_ target: UInt64, _ result: Int32) {
        guard result == -ENOENT || result == -EALREADY, isEnding(target) else { return }
        if unsafe own.pointee.unsettled.isEmpty {
            unsafe own.pointee.settleTime = monotonicNanoseconds() + UInt64(Self.pause.wholeNanoseconds)
        }
        unsafe own.pointee.unsettled.append(target)
    }

    private func isEnding(_ name: UInt64) -> Bool {
        guard let operation = unsafe operations.pointee.find(name) else { return false }
        return unsafe operation.pointee.state == .ending
    }

    /// Queues what there was no room for.
    func prepareAgain() {
        if unsafe !own.pointee.isAlarmed { watchAlarm() }
        if unsafe !own.pointee.unqueued.isEmpty { queueAgain() }
        if unsafe !own.pointee.unsettled.isEmpty { cancelUnsettled() }
        if unsafe !own.pointee.unsent.isEmpty { sendAgain() }
    }

    private func queueAgain() {
        while let next = unsafe own.pointee.unqueued.first {
            do throws(Errno) {
                try queue(next.request, next.name)
                unsafe own.pointee.unqueued.removeFirst()
            } catch {
                if Self.isPassing(error) { return }
                unsafe own.pointee.unqueued.removeFirst()
                finish(next.name, -error.rawValue)
            }
        }
    }

    /// Has those cancelled again that have not ended meanwhile.
    private func cancelUnsettled() {
        let left = unsafe own.pointee.unsettled.filter { isEnding($0) }
        let isTime = unsafe monotonicNanoseconds() >= own.pointee.settleTime
        unsafe own.pointee.unsettled = isTime ? [] : left
        if isTime { unsafe own.pointee.unsent += left }
    }

    private func sendAgain() {
        while let name = unsafe own.pointee.unsent.popLast() {
            do throws(Errno) {
                try unsafe ring.pointee.prepareCancel(target: name, token: Token.cancellation | name)
            } catch {
                unsafe own.pointee.unsent.append(name)
                return
            }
        }
    }
}
