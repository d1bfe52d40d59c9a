/// The minimal case: a pipe with a byte in it, its read end registered, duplicated and closed; then ten waits.
let lifeDupCloseGhost = Experiment(
    id: "life-dup-close-ghost",
    statement: "closing a registered number does not end the registration while a duplicate lives",
    source: .m2, keys: ["events_after_close"],
    observe: {
        let ghost = try Ghost()
        let events = try ghost.events()
        ghost.end()
        return ["events_after_close": events, "waits": 10]
    },
    judge: { .init(holds: $0["events_after_close"].number > 0) },
    explain: { "\($0["events_after_close"]) of 10 waits report a number that is closed." })
