@testable import Claims
@testable import Loops
@testable import Runs

/// Of the experiments about what is reported unasked, to whom, and what becomes of requests and registrations.
extension Opinions {
    private static func endings(_ counts: Int...) -> String {
        let names = ["fin", "both", "reset", "unix", "pipe_read", "pipe_write"]
        return zip(names, counts).map { "\($0)=\($1)" }.joined(separator: ";")
    }
    private static let onceOnly: [Entry] = [
        (endings(1, 1, 1, 1, 1, 1), .holds), (endings(0, 1, 1, 1, 1, 1), .depends),
        (endings(10, 10, 10, 10, 10, 10), .doesNotHold), (endings(0, 0, 0, 0, 0, 0), .doesNotHold),
    ]

    private static func orphan(_ receiveAtEnd: String, _ pollAtEnd: String, _ receive: String, _ poll: String) -> String
    {
        "receive_at_end=\(receiveAtEnd);poll_at_end=\(pollAtEnd);receive_after=\(receive);poll_after=\(poll)"
    }

    private static func ratios(_ one: (Double, Double), _ eight: (Double, Double)) -> String {
        "ratio_1=\((one.0 + one.1) / 2);low_1=\(one.0);high_1=\(one.1);"
            + "ratio_8=\((eight.0 + eight.1) / 2);low_8=\(eight.0);high_8=\(eight.1)"
    }
    private static let slower = ratios((0.7, 0.9), (0.8, 0.95))
    private static let faster = ratios((1.1, 1.3), (1.01, 1.2))
    private static let alike = ratios((0.97, 1.03), (0.96, 1.02))
    private static let wide = ratios((0.733, 1.074), (0.944, 1.28))

    static let untold: [String: [Entry]] = [
        "life-hangup-spins": [
            (endings(10, 10, 10, 10, 10, 10), .holds), (endings(0, 10, 10, 10, 10, 10), .depends),
            (endings(1, 1, 1, 1, 1, 1), .doesNotHold), (endings(0, 0, 0, 0, 0, 0), .doesNotHold),
        ],
        "life-hangup-edge": onceOnly, "life-hangup-oneshot": onceOnly,
        "write-et-again": [
            ("acks=10;out_after_acks=10;reads=900;out_after_full=890", .holds),
            ("acks=10;out_after_acks=10;reads=900;out_after_full=1;unix_reads=10;unix_out=10", .depends),
            ("acks=10;out_after_acks=0;reads=900;out_after_full=1;out_with_arrivals=10", .doesNotHold),
        ],
        "epoll-nested-wakeups": [
            ("workers=4;woken=4;woken_et=4;woken_sets=4", .holds),
            ("workers=4;woken=4;woken_et=1;woken_sets=4", .depends),
            ("workers=4;woken=1;woken_et=1;woken_sets=1", .doesNotHold),
        ],
        "epoll-watch-memory": [
            ("bytes=160", .holds), ("bytes=175", .holds), ("bytes=192", .doesNotHold), ("bytes=207", .doesNotHold),
            ("bytes=90", .doesNotHold), ("bytes=160;held_up_percent=61", .notObservable),
        ],
        "epoll-watch-limit": [
            ("limit=5491533;bytes=194;memory_percent=4.2;accounted_bytes=184", .holds),
            ("limit=5000;bytes=194;memory_percent=0.0;accounted_bytes=202000", .doesNotHold),
            ("limit=5491533;bytes=250;memory_percent=5.4;accounted_bytes=184", .doesNotHold),
            ("limit=5491533;bytes=194;memory_percent=4.2;accounted_bytes=184;held_up_percent=61", .notObservable),
        ],
        "epoll-watch-refusal": [
            ("limit=5000;registered=5000;at_limit=ENOSPC", .holds),
            ("limit=5000;registered=6000;at_limit=ENOSPC", .depends),
            ("limit=5000;registered=6000;at_limit=none", .doesNotHold),
            ("limit=500000;registered=501000;at_limit=none", .doesNotHold),
        ],
        "uring-submitter-ends": [
            (orphan("ECANCELED", "ECANCELED", "ECANCELED", "ECANCELED"), .holds),
            (orphan("pending", "pending", "ECANCELED", "ECANCELED"), .depends),
            (orphan("ECANCELED", "pending", "ECANCELED", "ok"), .depends),
            (orphan("pending", "pending", "ok", "ok"), .doesNotHold),
            (orphan("pending", "pending", "ECANCELED", "ECANCELED") + waiting, .notObservable),
            (orphan("ECANCELED", "ECANCELED", "ECANCELED", "ECANCELED") + waiting, .holds),
        ],
        "uring-overflow-keeps": [
            ("submitted=64;kept=60;received=64;dropped=0;refused=0;in_order=1", .holds),
            ("submitted=64;kept=60;received=60;dropped=4;refused=0;in_order=1", .doesNotHold),
            ("submitted=64;kept=60;received=60;dropped=0;refused=0;in_order=1", .doesNotHold),
            // A kernel that takes no more before completions were taken.
            ("submitted=6;kept=1;received=6;dropped=0;refused=1;in_order=1", .holds),
            ("submitted=6;kept=1;received=5;dropped=0;refused=1;in_order=1", .doesNotHold),
            ("submitted=5;kept=0;received=5;dropped=0;refused=1;in_order=1", .depends),
        ],
        "uring-overflow-ends-multishot": [
            ("accept_ended=1;poll_ended=1;receive_ended=1", .holds),
            ("accept_ended=1;poll_ended=1;receive_ended=1;timeout_ended=0", .depends),
            ("accept_ended=1;poll_ended=0;receive_ended=1", .depends),
            ("accept_ended=0;poll_ended=0;receive_ended=0", .doesNotHold),
        ],
        "uring-ping-pong-single": [
            (slower, .holds), (ratios((0.7, 0.9), (0.98, 1.1)), .depends), (faster, .doesNotHold),
            (alike, .doesNotHold), (ratios((0.96, 0.99), (0.8, 0.9)), .holds), (wide, .notObservable),
            // What is decided of one number of connections does not decide the other.
            (ratios((0.7, 0.9), (0.9, 1.1)), .notObservable), (ratios((1.1, 1.3), (0.9, 1.1)), .notObservable),
            (slower + ";debug_build=1", .notObservable),
            (slower + ";foreign_cpu_percent=30", .notObservable), (slower + waiting, .notObservable),
        ],
        "uring-ping-pong-multishot": [
            (faster, .holds), (ratios((1.1, 1.3), (0.9, 1.04)), .depends), (slower, .doesNotHold),
            (alike, .doesNotHold), (wide, .notObservable), (ratios((1.1, 1.3), (0.9, 1.1)), .notObservable),
            (faster + ";debug_build=1", .notObservable),
            (faster + ";foreign_cpu_percent=30", .notObservable), (faster + waiting, .notObservable),
        ],
    ]
}
