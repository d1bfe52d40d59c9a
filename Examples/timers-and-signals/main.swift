// A program that does something every so often and ends in an orderly way: time and signals as events of one set.

import Glibc
import LinuxReadiness

struct Ticker: ~Copyable {
    var set: InterestSet
    let timer: InterestToken
    let signals: InterestToken
    var ticks: UInt64 = 0

    init(every interval: Duration, until signals: SignalSet) throws {
        var set = try InterestSet()
        let timer = try TimerDescriptor()
        try timer.set(after: interval, repeating: interval)
        let tick = try set.insert(timer.release(), .readable)
        let end = try set.insert(SignalDescriptor(signals).release(), .readable)
        self.set = set
        self.timer = tick
        self.signals = end
    }

    /// Ticks until it is told to end; SIGUSR1 asks how far it is.
    mutating func run() throws {
        while true {
            _ = try set.wait()
            while let event = set.nextEvent() {
                if event.token == timer { try tick() }
                if event.token == signals, try mustEnd() { return }
            }
        }
    }

    mutating func tick() throws {
        let expirations = try set.with(timer, as: TimerDescriptor.self) { try $0.take() }
        // A busy thread may find several, each counts.
        if case let count?? = expirations { ticks += count }
    }

    func mustEnd() throws -> Bool {
        while let record = try nextSignal() {
            print("signal \(record.signal) from process \(record.sender) after \(ticks) ticks")
            fflush(nil)
            if record.signal != SIGUSR1 { return true }
        }
        return false
    }

    func nextSignal() throws -> SignalRecord? {
        try set.with(signals, as: SignalDescriptor.self) { try $0.take() } ?? nil
    }
}

do {
    let signals: SignalSet = [SIGTERM, SIGINT, SIGHUP, SIGUSR1]
    // First of all: threads inherit it, and one that did not would end the program.
    signals.block()
    var ticker = try Ticker(every: .milliseconds(10), until: signals)
    print("ticking in process \(getpid()); kill -USR1 asks, SIGTERM, SIGHUP and Control-C end it")
    fflush(nil)
    try ticker.run()
    print("ended in order")
} catch {
    print("timers-and-signals: \(error)")
    exit(1)
}
