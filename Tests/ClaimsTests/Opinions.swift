@testable import Claims
@testable import Loops
@testable import Runs

/// Observations, as an experiment would write them, and the verdict that each must get.
///
/// One entry for every experiment, with at least two verdicts: what was seen somewhere, and the contrary.
enum Opinions {
    typealias Entry = (observed: String, verdict: ClaimVerdict)

    static let all: [String: [Entry]] = [
        wakeups, scripts, accepting, reusePort, order, lifetime, rings, waits, eventFD, untold,
    ].reduce(into: [:]) {
        $0.merge($1) { first, _ in first }
    }

    private static let everyWaiter: [Entry] = [
        ("workers=4;woken=4", .holds), ("workers=4;woken=1", .doesNotHold), ("workers=4;woken=2", .depends),
        ("workers=4;woken=0", .doesNotHold),
    ]
    private static let oneWaiter: [Entry] = [
        ("workers=4;woken=1", .holds), ("workers=4;woken=4", .doesNotHold), ("workers=4;woken=3", .depends),
        ("workers=4;woken=0", .doesNotHold),
    ]

    private static let wakeups: [String: [Entry]] = [
        "accept-lt-shared-set": everyWaiter, "accept-lt-set-per-worker": everyWaiter,
        "accept-et-shared-set": oneWaiter, "accept-et-set-per-worker": everyWaiter,
        "accept-exclusive-shared-set": oneWaiter, "accept-exclusive-set-per-worker": oneWaiter,
        "accept-oneshot-shared-set": oneWaiter, "accept-oneshot-set-per-worker": oneWaiter,
    ]

    private static let split: [Entry] = [
        ("b_woken=1;a_bytes=2048;b_bytes=1", .holds), ("b_woken=0;a_bytes=2048;b_bytes=0", .doesNotHold),
        ("b_woken=1;a_bytes=2048;b_bytes=0", .doesNotHold),
    ]
    private static let manualFlags = "add=ok;add_et=ok;add_oneshot=EINVAL;add_rdhup=EINVAL;add_epoll=EINVAL;"

    private static let scripts: [String: [Entry]] = [
        "accept-et-spurious": [
            ("b_woken=1;b_accept=EAGAIN", .holds), ("b_woken=0;b_accept=none", .doesNotHold),
            ("b_woken=1;b_accept=ok", .doesNotHold),
        ],
        "accept-et-starvation": [("b_events=0", .holds), ("b_events=1", .depends), ("b_events=2", .doesNotHold)],
        "read-lt-split": split, "read-exclusive-split": split,
        "read-et-split": [("b_woken=1;b_bytes=1", .holds), ("b_woken=0;b_bytes=0", .doesNotHold)],
        "read-oneshot-whole": [("b_woken=0", .holds), ("b_woken=1", .doesNotHold)],
        "accept-exclusive-flags": [
            (manualFlags + "mod_to_exclusive=EINVAL;mod_of_exclusive=EINVAL", .holds),
            (manualFlags + "mod_to_exclusive=ok;mod_of_exclusive=EINVAL", .depends),
            (
                "add=EINVAL;add_et=EINVAL;add_oneshot=ok;add_rdhup=ok;add_epoll=ok;"
                    + "mod_to_exclusive=ok;mod_of_exclusive=ok", .doesNotHold
            ),
        ],
    ]

    private static let gone: [Entry] = [("events_after=0", .holds), ("events_after=10", .doesNotHold)]
    private static let staying: [Entry] = [("events_after=10", .holds), ("events_after=0", .doesNotHold)]
    private static let failing = "ignore=fails;remove=fails;child_close=racy;child_close_epoll=fails;"

    private static let lifetime: [String: [Entry]] = [
        "life-dup-close-ghost": [("events_after_close=10", .holds), ("events_after_close=0", .doesNotHold)],
        "life-remove-after-close": [
            ("closed=EBADF;dup=ENOENT;reused=ENOENT", .holds), ("closed=EBADF;dup=ok;reused=ENOENT", .doesNotHold),
        ],
        "life-rebuild-cures": [
            ("events_after=0;live_events=10", .holds), ("events_after=10;live_events=10", .doesNotHold),
            ("events_after=0;live_events=0", .doesNotHold),
        ],
        "life-remove-before-close": gone, "life-last-close-removes": gone,
        "life-dup2-cure": staying, "life-pidfd-cure": staying,
        "life-fork-ghost": [
            ("ghosts=9000;real=0;cpu_percent=99", .holds), ("ghosts=0;real=0;cpu_percent=1", .doesNotHold),
        ],
        "life-fork-remedies": [
            (failing + "handle_before_fork=fails", .holds), (failing + "handle_before_fork=racy", .holds),
            (failing + "handle_before_fork=cures", .depends),
            (
                "ignore=cures;remove=cures;child_close=cures;child_close_epoll=cures;handle_before_fork=cures",
                .doesNotHold
            ),
        ],
        "life-fork-tell-apart": [
            ("getpeername=ok|ok;tcp_info=CLOSE|CLOSE;poll=none|none;so_error=0|0", .holds),
            ("getpeername=ENOTCONN|ok;tcp_info=CLOSE|CLOSE;poll=none|none;so_error=0|0", .doesNotHold),
        ],
        "life-generation-detects": [
            ("ghosts=100;detected=100;mistaken=0", .holds), ("ghosts=100;detected=40;mistaken=0", .depends),
            ("ghosts=100;detected=100;mistaken=1", .depends), ("ghosts=100;detected=0;mistaken=0", .doesNotHold),
            ("ghosts=0;detected=0;mistaken=0", .doesNotHold),
        ],
        "life-rebuild-cost": [
            ("ns_per_descriptor_1000=900;ns_per_descriptor_10000=1100", .holds),
            ("ns_per_descriptor_1000=900;ns_per_descriptor_10000=4500", .depends),
            ("ns_per_descriptor_1000=900;ns_per_descriptor_10000=90000", .doesNotHold),
        ],
        "life-generation-exhaustion": [
            ("per_second=900000;hours=1.33;server_per_second=30000;server_hours=39.8;passed=10", .holds),
            ("per_second=9000;hours=133;server_per_second=90;server_hours=13256;passed=1", .holds),
            ("per_second=900000;hours=1.33;server_per_second=0;server_hours=inf;passed=10", .depends),
            ("per_second=900000;hours=1.33;server_per_second=30000;server_hours=39.8;passed=0", .doesNotHold),
        ],
        "life-poll-closed": [
            ("revents=none;closed_revents=POLLNVAL", .holds), ("revents=none;closed_revents=POLLIN", .depends),
            ("revents=POLLOUT;closed_revents=POLLIN", .doesNotHold),
        ],
    ]

    private static let cancelling: [Entry] = [
        ("result=ok;events_after=0", .holds), ("result=1;events_after=0", .holds),
        ("result=EBADF;events_after=3", .doesNotHold), ("result=ok;events_after=1", .doesNotHold),
        ("result=ok;events_after=0" + waiting, .notObservable),
    ]

    private static let pollerCost = ";idle_percent=99;asleep_percent=0;echo_ns=4000;echo_poller_ns=9000;poller_ns=7000"
    private static func echoes(_ copy: String, _ zeroCopy: String, copied: Int, messages: Int = 90) -> String {
        "copy_ns=\(copy);zero_copy_ns=\(zeroCopy);fixed_ns=\(copy);copied_percent=\(copied);messages=\(messages)"
    }
    private static let plain = "plain_1=1;plain_4=4;plain_16=16;plain_64=64;"

    private static let rings: [String: [Entry]] = [
        "uring-close-pending-accept": [
            ("connects=0;port_free=1", .holds), ("connects=3;port_free=0", .doesNotHold),
        ],
        "uring-close-pending-recv": [
            ("fin_seen=1", .holds), ("fin_seen=0;fin_after_cancel=1", .doesNotHold),
            ("fin_seen=0;fin_after_cancel=0", .notObservable),
            ("fin_seen=0;fin_after_cancel=1" + waiting, .notObservable),
        ],
        "uring-direct-close-delay": [
            ("closes=3;late=3;fin_ms=1053", .holds), ("closes=3;late=0;fin_ms=0", .doesNotHold),
            ("closes=3;late=1;fin_ms=1053", .depends),
            ("closes=3;late=1;fin_ms=1053" + waiting, .notObservable),
            ("closes=3;late=3;fin_ms=1053" + waiting, .holds), ("closes=2;late=2;fin_ms=1053", .notObservable),
            ("closes=0;late=0;fin_ms=0", .notObservable),
        ],
        "uring-direct-close-order": [
            ("fin_before=0;fin_after=1", .holds), ("fin_before=1;fin_after=1", .doesNotHold),
            ("fin_before=0;fin_after=0", .notObservable), ("fin_before=1;fin_after=1" + waiting, .doesNotHold),
        ],
        "uring-cancel-by-closed-fd": cancelling, "uring-cancel-by-token": cancelling,
        "uring-fork": [("child_stole=0", .holds), ("child_stole=2", .doesNotHold)],
        "uring-poll-multishot-wakeups": [
            ("workers=4;woken=4;woken_exclusive=1", .holds), ("workers=4;woken=4;woken_exclusive=4", .depends),
            ("workers=4;woken=2;woken_exclusive=2", .doesNotHold),
        ],
        "uring-multishot-accept-share": [
            ("multishot_idle=40/0/0/0;multishot_busy=40/0/0/0;single_idle=10/10/10/10;single_busy=1/13/13/13", .holds),
            (
                "multishot_idle=40/0/0/0;multishot_busy=1/39/0/0;single_idle=10/10/10/10;single_busy=1/13/13/13",
                .depends
            ),
            ("multishot_idle=40/0/0/0;multishot_busy=40/0/0/0;single_idle=40/0/0/0;single_busy=40/0/0/0", .depends),
            (
                "multishot_idle=10/10/10/10;multishot_busy=1/13/13/13;single_idle=37/1/1/1;single_busy=1/37/1/1",
                .doesNotHold
            ),
        ],
        "uring-multishot-accept-wrong-fd": [
            ("connections=16;overflows=16;wrong_deferred=1;wrong_default=0", .holds),
            ("connections=16;overflows=16;wrong_deferred=0;wrong_default=2", .doesNotHold),
            ("connections=16;overflows=16;wrong_deferred=0", .doesNotHold),
            ("connections=16;overflows=3;wrong_deferred=0;wrong_default=0", .notObservable),
            ("connections=16;overflows=3;wrong_deferred=3;wrong_default=0", .holds),
        ],
        "uring-epoll-wait": [
            ("told=2;left=0;left_by_poll=2", .holds),
            ("told=1;left=1;left_by_poll=2", .doesNotHold),
        ],
        "uring-shared-ring-cost": [
            ("messages_ns=900;shared_ns=1900", .holds), ("messages_ns=1900;shared_ns=900", .doesNotHold),
            ("messages_ns=1000;shared_ns=1050", .depends),
            ("messages_ns=900;shared_ns=1900;debug_build=1", .notObservable),
        ],
        "uring-multishot-overflow": [
            ("ended=1;recovered=11;lost=0", .holds), ("ended=0;recovered=0;lost=0", .depends),
            ("ended=1;recovered=2;lost=9", .doesNotHold),
            ("ended=1;recovered=2;lost=9" + waiting, .notObservable), ("ended=1;recovered=11;lost=0" + waiting, .holds),
        ],
        "uring-sqpoll": [
            ("submissions=1000;enters=0;enters_asleep=5" + pollerCost, .holds),
            ("submissions=1000;enters=0;enters_asleep=5;idle_percent=99;asleep_percent=0", .holds),
            ("submissions=1000;enters=3;enters_asleep=5" + pollerCost, .depends),
            ("submissions=1000;enters=1000;enters_asleep=5" + pollerCost, .doesNotHold),
        ],
        "uring-zero-copy": [
            (echoes("4000/9000/60000/700000", "4100/9200/40000/400000", copied: 0), .depends),
            (echoes("4000/9000/60000/700000", "4100/9200/40000/400000", copied: 100), .holds),
            (echoes("4000/9000/60000/700000", "4100/9200/40000/699000", copied: 100), .depends),
            (echoes("4000/9000/60000/700000", "4100/9200/61000/699000", copied: 50), .doesNotHold),
            (echoes("4000/9000/60000/700000", "4100/9200/61000/699000", copied: 50, messages: 4), .notObservable),
        ],
        "uring-recv-no-buffer": [
            ("multishot=ENOBUFS;single=waits", .holds), ("multishot=ENOBUFS;single=ENOBUFS", .depends),
            ("multishot=waits;single=ENOBUFS", .doesNotHold),
            ("multishot=ENOBUFS;single=waits" + waiting, .notObservable),
            ("multishot=ENOBUFS;single=ENOBUFS" + waiting, .depends),
        ],
        "uring-recv-starves": [
            ("busy_before=256;busy_all=256", .holds), ("busy_before=33;busy_all=256", .doesNotHold),
            ("busy_before=33;busy_all=40", .notObservable),
        ],
        "uring-recv-bundles": [
            (plain + "bundle_1=1;bundle_4=2;bundle_16=6;bundle_64=20;in_order=1", .holds),
            (plain + "bundle_1=1;bundle_4=4;bundle_16=6;bundle_64=20;in_order=1", .depends),
            (plain + "bundle_1=1;bundle_4=4;bundle_16=16;bundle_64=64;in_order=1", .doesNotHold),
            (plain + "bundle_1=1;bundle_4=2;bundle_16=6;bundle_64=20;in_order=0", .doesNotHold),
        ],
        "uring-recv-incremental": [
            ("parts=200;buffers=64;order=1;bundle_order=1", .holds),
            ("parts=200;buffers=64;order=1;bundle_order=0", .depends),
            ("parts=64;buffers=64;order=0;bundle_order=0", .doesNotHold),
            ("parts=4;buffers=2;order=1;bundle_order=1", .notObservable),
        ],
    ]

    private static let cheap = "select_10_ns=900;select_100_ns=900;select_1000_ns=900;poll_10_ns=900;poll_100_ns=900;"
    private static let dear =
        "select_10_ns=900;select_100_ns=9000;select_1000_ns=90000;poll_10_ns=900;poll_100_ns=9000;"
    private static let flat = "epoll_10_ns=400;epoll_100_ns=400;epoll_1000_ns=400;epoll_10000_ns=400;"
    private static let flatRing = "uring_10_ns=600;uring_100_ns=600;uring_1000_ns=600;uring_10000_ns=700"

    private static let eventFD: [String: [Entry]] = [
        "eventfd-coalesces": [("writes=3;reads=1;value=3", .holds), ("writes=3;reads=3;value=1", .doesNotHold)],
        "eventfd-overflow": [
            ("add=EAGAIN;add_maximum=EINVAL;value=18446744073709551614", .holds),
            ("add=ok;add_maximum=EINVAL;value=0", .doesNotHold),
        ],
        "eventfd-semaphore": [("written=3;reads=3;value=1", .holds), ("written=3;reads=1;value=3", .doesNotHold)],
        "eventfd-semaphore-et": [
            ("written=5;read=5;stranded=0", .holds), ("written=5;read=1;stranded=4", .doesNotHold),
        ],
        "eventfd-first-reader-wins": [
            ("woken=2;a_read=1;b_read=EAGAIN", .holds), ("woken=1;a_read=1;b_read=none", .doesNotHold),
            ("woken=2;a_read=1;b_read=1", .doesNotHold),
        ],
        "eventfd-et-every-write": [
            ("writes=3;events=3", .holds), ("writes=3;events=1", .doesNotHold), ("writes=3;events=2", .depends),
        ],
        "eventfd-vs-pipe": [
            (
                "eventfd_ns=400;pipe_ns=900;eventfd_bytes=400;pipe_bytes=6600;eventfd_fds=1;pipe_fds=2", .holds
            ),
            (
                "eventfd_ns=500;pipe_ns=900;eventfd_bytes=400;pipe_bytes=6600;eventfd_fds=1;pipe_fds=2", .depends
            ),
            (
                "eventfd_ns=500;pipe_ns=900;eventfd_bytes=400;pipe_bytes=700;eventfd_fds=2;pipe_fds=2", .doesNotHold
            ),
        ],
        "eventfd-million": [
            ("seconds=2.5;tasks=1000000;lost=0;seconds_at_once=5", .holds),
            ("seconds=2.5;tasks=1000000;lost=0;seconds_at_once=8", .depends),
            ("seconds=2.5;tasks=1000000;lost=0", .depends),
            ("seconds=7.5;tasks=1000000;lost=0;seconds_at_once=8", .doesNotHold),
            ("seconds=7.5;tasks=1000000;lost=0", .doesNotHold),
            ("seconds=2.5;tasks=999999;lost=1;seconds_at_once=5", .doesNotHold),
            ("seconds=7.5;tasks=1000000;lost=0;seconds_at_once=8" + waiting, .notObservable),
            ("seconds=2.5;tasks=1000000;lost=0;seconds_at_once=5" + waiting, .holds),
            ("seconds=7.5;tasks=1000000;lost=0;seconds_at_once=9;held_up_percent=19", .notObservable),
            ("seconds=7.5;tasks=1000000;lost=0;seconds_at_once=9;foreign_cpu_percent=30", .notObservable),
            ("seconds=7.5;tasks=1000000;lost=0;seconds_at_once=9;debug_build=1", .notObservable),
            ("seconds=7.5;tasks=1000000;lost=0;debug_build=1", .notObservable),
            (
                "seconds=6.8;tasks=1000000;lost=0;seconds_at_once=7;foreign_cpu_percent=4;held_up_percent=4",
                .notObservable
            ),
            (
                "seconds=7.5;tasks=1000000;lost=0;seconds_at_once=9;foreign_cpu_percent=4;held_up_percent=4",
                .doesNotHold
            ),
            ("seconds=7.5;tasks=999999;lost=1;seconds_at_once=9;debug_build=1", .doesNotHold),
        ],
        "eventfd-pool-double-close": [("lt_ebadf=5;et_ebadf=0", .holds), ("lt_ebadf=5;et_ebadf=2", .doesNotHold)],
        "scale-wait-cost": [
            (dear + "poll_1000_ns=90000;poll_10000_ns=900000;" + flat + flatRing, .holds),
            (dear + "poll_1000_ns=90000;poll_10000_ns=900000;" + flat, .holds),
            // Of select only what tells little.
            (
                "select_10_ns=900;select_100_ns=4000;poll_10_ns=900;poll_100_ns=9000;poll_1000_ns=90000;"
                    + "poll_10000_ns=900000;" + flat, .holds
            ),
            (cheap + "poll_1000_ns=900;poll_10000_ns=900;" + flat + flatRing, .depends),
            (
                cheap + "poll_1000_ns=900;poll_10000_ns=900;epoll_10_ns=4;epoll_100_ns=40;epoll_1000_ns=400;"
                    + "epoll_10000_ns=4000;uring_10_ns=6;uring_100_ns=60;uring_1000_ns=600;uring_10000_ns=7000",
                .doesNotHold
            ),
        ],
    ]
}
