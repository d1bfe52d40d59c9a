extension WorkerMeters {
    /// Operations by worker and, where the kernel counts, the system calls of the same moment: whoever reads can be put
    /// off a processor that a worker then has, so it reads again when operations were completed meanwhile.
    func operationsAndCalls() -> (operations: [UInt64], calls: CallCounts?) {
        func operations() -> [UInt64] { (0..<workers).map { self[$0][.operations] } }
        var before = operations()
        guard let calls else { return (before, nil) }
        var counted = calls.read()
        for _ in 0..<Self.mostReadings {
            let after = operations()
            if after == before { break }
            before = after
            counted = calls.read()
        }
        return (before, counted)
    }

    /// Fast workers never pause.
    private static let mostReadings = 8
}
