@testable import Claims

/// How a thread waits, and how its ring is set up.
extension Opinions {
    static let waits: [String: [Entry]] = [
        "uring-task-run": [
            ("messages=9000;default_ns=4000;coop_ns=3800;defer_ns=3500", .holds),
            ("messages=9000;default_ns=4000;coop_ns=4500;defer_ns=3500", .depends),
            ("messages=9000;default_ns=4000;coop_ns=3900;defer_ns=4000", .doesNotHold),
            ("messages=90;default_ns=4000;coop_ns=3800;defer_ns=3500", .notObservable),
            ("messages=9000;default_ns=4000;coop_ns=3800;defer_ns=3500;debug_build=1", .notObservable),
        ],
        "uring-registered-ring": [
            ("plain_ns=200;registered_ns=180", .holds), ("plain_ns=200;registered_ns=200", .depends),
            ("plain_ns=200;registered_ns=240", .doesNotHold),
        ],
        "uring-min-wait": [
            ("enters=50;enters_min_wait=20;alone_ns=20000;alone_min_wait_ns=5020000", .holds),
            // A slow machine.
            ("enters=50;enters_min_wait=20;alone_ns=900000;alone_min_wait_ns=5400000", .holds),
            ("enters=50;enters_min_wait=49;alone_ns=20000;alone_min_wait_ns=5020000", .depends),
            ("enters=50;enters_min_wait=20;alone_ns=20000;alone_min_wait_ns=150000", .depends),
            ("enters=50;enters_min_wait=50;alone_ns=20000;alone_min_wait_ns=21000", .doesNotHold),
            ("enters=50;enters_min_wait=20;alone_ns=2000000;alone_min_wait_ns=2500000", .notObservable),
        ],
        "epoll-wait-lateness": [
            ("late_ns=105000;wide_late_ns=1060000;exact_late_ns=60000;short_ns=290000;slack_ns=50000", .holds),
            ("late_ns=105000;wide_late_ns=1060000;exact_late_ns=60000;short_ns=290000", .holds),
            // A slow machine, whose own lateness hides 50 us.
            ("late_ns=410000;wide_late_ns=1330000;exact_late_ns=420000;short_ns=710000;slack_ns=50000", .holds),
            ("late_ns=105000;wide_late_ns=1060000;exact_late_ns=60000;short_ns=290000;slack_ns=100000", .depends),
            ("late_ns=105000;wide_late_ns=1060000;exact_late_ns=60000;short_ns=ENOSYS", .depends),
            ("late_ns=105000;wide_late_ns=1060000;exact_late_ns=60000;short_ns=1060000", .depends),
            ("late_ns=60000;wide_late_ns=62000;exact_late_ns=60000;short_ns=1100000;slack_ns=50000", .doesNotHold),
            ("late_ns=900000;wide_late_ns=1800000;exact_late_ns=700000;short_ns=900000", .notObservable),
        ],
        "busy-poll-loopback": [
            ("queue=0;busy_us=30;idle_us=28", .holds), ("queue=8193;busy_us=19800;idle_us=30", .doesNotHold),
            ("queue=0;busy_us=19000;idle_us=30", .doesNotHold),
        ],
    ]
}
