extension NoiseFloor {
    package static func read(_ bytes: [UInt8], file: String) throws(CSVError) -> NoiseFloor {
        let json = try JSONText(bytes, file: file)
        let floor = try json.decode(NoiseFloor.self)
        func require(_ holds: Bool, _ path: [String], _ message: String) throws(CSVError) {
            if !holds { throw json.error(at: path, message) }
        }
        try require(!floor.machineId.isEmpty, ["machine_id"], "is empty")
        try require(!floor.kernel.isEmpty, ["kernel"], "is empty")
        try require(Timestamp(floor.measuredAt) != nil, ["measured_at"], "is not a time of ISO 8601 with its offset")
        let isShare = floor.confidence > 0 && floor.confidence < 1
        try require(isShare, ["confidence"], "is not between 0 and 1")
        var seen: Set<[String]> = []
        for (index, entry) in floor.entries.enumerated() {
            let path = ["entries", String(index)]
            let isMetric = Column.named(entry.metric).map { $0.better != .none } ?? false
            try require(isMetric, path + ["metric"], "is no metric")
            try require(entry.floor.isFinite && entry.floor >= 0, path + ["floor"], "is negative")
            try require(entry.blocks > 0, path + ["blocks"], "is not above 0")
            let isNew = seen.insert([entry.workload, entry.mode, entry.metric]).inserted
            try require(isNew, path, "is of a workload, mode and metric that an entry before it has")
        }
        return floor
    }
}
