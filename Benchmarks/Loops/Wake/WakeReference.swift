import LinuxDescriptors
import LinuxReadiness
import Meters
import Reference
import SystemPackage

extension ReadWaiter {
    func runReference(_ side: borrowing PingPongSide, _ partner: WakeChannel) throws(Errno) {
        unsafe try side.runReference {
            unsafe reference_ping_pong_read($0, input.descriptor.rawValue, partner.output.rawValue)
        }
    }
}

extension EpollWaiter {
    func runReference(_ side: borrowing PingPongSide, _ partner: WakeChannel) throws(Errno) {
        let set = epoll.descriptor.rawValue
        unsafe try side.runReference {
            unsafe reference_ping_pong_epoll($0, set, input.descriptor.rawValue, partner.output.rawValue, drains)
        }
    }
}

extension PingPongSide {
    @unsafe fileprivate func runReference(_ loop: (UnsafePointer<reference_ping_pong>) -> CInt) throws(Errno) {
        var side = unsafe reference_ping_pong(
            counts: meter.address, over: over.address, mine: mine.address, theirs: theirs.address,
            round_trips: roundTrips.address, one_way: oneWay.address, window_start: meter[.windowStart],
            window_end: meter[.windowEnd], load_end: loadEnd, leads: leads)
        let result = unsafe loop(&side)
        if result != 0 { throw Errno(rawValue: result) }
    }
}
