@testable import Claims
@testable import Loops
@testable import Runs

/// Of the experiments that put a server under load or close its listeners.
extension Opinions {
    private static let many = ";shares_idle=50/50/50/50;shares_busy=0/0/0/129;shares_flood=500/500/500/500"
    private static let ten = ";shares_idle=50/50/50/50;shares_busy=8/1/1/0;shares_flood=500/500/500/500"
    private static let even: [Entry] = [
        ("jain_idle=1.0;jain_busy=0.98;jain_flood=0.9" + many, .holds),
        ("jain_idle=0.25;jain_busy=0.98;jain_flood=0.99" + many, .depends),
        ("jain_idle=0.25;jain_busy=0.25;jain_flood=0.899" + many, .doesNotHold),
        ("jain_idle=1.0;jain_busy=0.379;jain_flood=0.99" + ten, .notObservable),
        ("jain_idle=0.3;jain_busy=0.25;jain_flood=0.25" + ten, .notObservable),
        ("jain_idle=1.0;jain_busy=0.5;jain_flood=0.5;held_up_percent=60" + many, .notObservable),
    ]
    private static let uneven: [Entry] = [
        ("jain_idle=0.3;jain_busy=0.5;jain_flood=0.25" + many, .holds),
        ("jain_idle=0.3;jain_busy=0.99;jain_flood=0.25;held_up_percent=3" + many, .depends),
        ("jain_idle=1.0;jain_busy=0.99;jain_flood=0.95" + many, .doesNotHold),
        ("jain_idle=0.3;jain_busy=0.379;jain_flood=0.25" + ten, .notObservable),
        ("jain_idle=1.0;jain_busy=0.99;jain_flood=0.95;held_up_percent=60" + many, .notObservable),
    ]

    private static func peaks(_ late: Int, _ early: Int) -> String {
        "oneshot_peak=\(late);oneshot_early_peak=\(early);exclusive_peak=4;"
    }
    private static let inTime = "offered=120000;served=120000;p99_ns=90000;"
    private static let late = "offered=120000;served=70000;p99_ns=90000000;"

    /// Threads waited for a processor.
    static let waiting = ";held_up_percent=21"

    static let accepting: [String: [Entry]] = [
        "accept-balance-lt": uneven, "accept-balance-exclusive": even, "accept-balance-oneshot": even,
        "accept-balance-blocking": uneven, "accept-balance-reuseport": even, "accept-balance-uring-single": even,
        "accept-balance-uring-multishot": even, "accept-balance-uring-multishot-reuseport": even,
        "accept-oneshot-serial": [
            (peaks(1, 1) + "oneshot_ms=82;oneshot_early_ms=82;exclusive_ms=21", .holds),
            (peaks(1, 4) + "oneshot_ms=82;oneshot_early_ms=21;exclusive_ms=21", .depends),
            (peaks(1, 1) + "oneshot_ms=82;oneshot_early_ms=82;exclusive_ms=50", .depends),
            (peaks(3, 4) + "oneshot_ms=82;oneshot_early_ms=21;exclusive_ms=21", .depends),
            (peaks(3, 4) + "oneshot_ms=28;oneshot_early_ms=21;exclusive_ms=21", .doesNotHold),
            (peaks(1, 1) + "oneshot_ms=82;oneshot_early_ms=82;exclusive_ms=21" + waiting, .notObservable),
        ],
        "accept-40k": [
            (inTime + "server_cpu_percent=30;same_cpu_offered=120000;same_cpu_served=119000", .doesNotHold),
            (inTime + "server_cpu_percent=45;same_cpu_offered=120000;same_cpu_served=118000", .depends),
            (late + "server_cpu_percent=99;same_cpu_offered=120000;same_cpu_served=40000", .holds),
            (late + "server_cpu_percent=40;same_cpu_offered=120000;same_cpu_served=40000", .depends),
            // What was served in spite of others, and a processor that was used up, are what they are.
            (inTime + "server_cpu_percent=30;same_cpu_offered=120000;same_cpu_served=119000" + waiting, .doesNotHold),
            (late + "server_cpu_percent=99;same_cpu_offered=120000;same_cpu_served=40000" + waiting, .holds),
            (late + "server_cpu_percent=40;same_cpu_offered=120000;same_cpu_served=40000" + waiting, .notObservable),
        ],
    ]

    private static let noneLost: [Entry] = [
        ("queued=400;served=400;reset=0", .holds), ("queued=400;served=200;reset=200", .doesNotHold),
        ("queued=400;served=390;reset=0", .doesNotHold),
    ]
    private static let steered: [Entry] = [
        ("connections=100;wrong_listener=0", .holds), ("connections=100;wrong_listener=1", .doesNotHold),
    ]

    static let reusePort: [String: [Entry]] = [
        "reuseport-close-loss": [
            ("queued=400;served=200;reset=200", .holds), ("queued=400;served=400;reset=0", .doesNotHold),
        ],
        "reuseport-close-migrate": noneLost, "reuseport-ebpf-migrate": noneLost,
        "reuseport-cbpf-steer": steered, "reuseport-ebpf-steer": steered, "reuseport-incoming-cpu-steer": steered,
        "reuseport-drain": [
            ("served=900;lost=0", .holds), ("served=900;lost=1", .doesNotHold), ("served=0;lost=0", .notObservable),
            ("served=36;lost=0", .notObservable), ("served=36;lost=1", .doesNotHold),
        ],
        "reuseport-restart": [
            ("served=900;lost=200", .holds), ("served=900;lost=0", .doesNotHold),
            ("served=36;lost=0", .notObservable), ("served=36;lost=1", .holds),
            ("served=900;lost=0" + waiting, .notObservable),
        ],
    ]

    private static let kept: [Entry] = [
        ("chunks=2278;out_of_order=0", .holds), ("chunks=2278;out_of_order=1", .doesNotHold),
        ("chunks=36;out_of_order=0", .notObservable), ("chunks=36;out_of_order=1", .doesNotHold),
    ]
    private static let broken: [Entry] = [
        ("chunks=2278;out_of_order=50", .holds), ("chunks=2278;out_of_order=0", .doesNotHold),
        ("chunks=36;out_of_order=0", .notObservable), ("chunks=36;out_of_order=1", .holds),
        ("chunks=2278;out_of_order=0" + waiting, .notObservable),
    ]

    private static func queues(_ values: Int...) -> String {
        let names = ["combined_p99_ns", "partitioned_p99_ns", "combined_mean_ns", "partitioned_mean_ns"]
        return zip(names, values).map { "\($0)=\($1);" }.joined() + "messages="
    }

    static let order: [String: [Entry]] = [
        "read-order-lt": broken, "read-order-exclusive": broken, "read-order-et": broken,
        "read-order-oneshot": kept, "read-order-set-per-worker": kept, "read-order-dispatcher": kept,
        "read-combined-queue": [
            (queues(11, 31, 27, 67) + "3942", .holds), (queues(11, 31, 27, 28) + "3942", .depends),
            (queues(31, 11, 67, 27) + "3942", .doesNotHold), (queues(31, 11, 67, 27) + "36", .notObservable),
            (queues(11, 31, 27, 67) + "36", .notObservable),
            (queues(31, 11, 67, 27) + "3942" + waiting, .notObservable),
        ],
    ]
}
