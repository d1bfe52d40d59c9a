/// The ten-line programme: a pipe with a byte in it, its read end registered, duplicated and closed; then ten waits.
extension Experiment {
    static let lifeDupCloseGhost = Experiment(
        id: "life-dup-close-ghost",
        statement: "closing a registered number does not end the registration while a duplicate lives",
        source: .m2, keys: ["events_after_close"],
        observe: {
            let ghost = try Ghost()
            let events = try ghost.events()
            ghost.end()
            return ["events_after_close": events, "waits": 10]
        },
        judge: { ($0.integer("events_after_close") ?? 0) > 0 ? .holds : .doesNotHold },
        explain: { "\($0["events_after_close"] ?? "") of 10 waits report a number that is closed." })
}
