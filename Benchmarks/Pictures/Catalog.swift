import Records
import Reports
import Statistics

struct PicturedArm {
    let group: ArmRuns
    /// The mode, with what tells it from the other modes' usual options in brackets.
    let label: String
    /// The options that were varied, and of several machines which one, in words; empty where there is nothing to say.
    let condition: String

    var mode: String { group.arm["mode"] }
    /// `epoll-et (4 workers), 64 connections`
    var name: String { condition.isEmpty ? label : "\(label), \(condition)" }
    var style: ModeStyle { ModeStyle.of(mode: mode) }

    func values(_ column: Column) -> [Double] { group.values { column.number(of: $0) } }

    /// Plot clauses for a dot for each round at the place that `place` gives it: a ring where the round did not keep the
    /// rate that it was offered.
    func dots(
        _ drawing: inout Drawing, _ comment: String, _ column: Column, size: Double, place: (Double) -> [Double]
    ) -> [String] {
        let name = "\(label) \(condition): \(comment)"
        var clauses: [String] = []
        for isKept in [true, false] {
            let runs = group.usable.filter { $0.keptItsRate == isKept }
            let places = runs.compactMap { column.number(of: $0) }.map(place).filter { !$0.isEmpty }
            guard !places.isEmpty else { continue }
            let data = drawing.data(isKept ? name : "\(name), rate not kept", places)
            clauses += style.dots(data, size: size, areHollow: !isKept)
        }
        return clauses
    }
}

struct Catalog {
    let workload: String
    let input: PictureInput
    let arms: [PicturedArm]

    init(_ input: PictureInput, workload: String) {
        let groups = ArmRuns.group(input.records.filter { $0.workload == workload }).filter { !$0.usable.isEmpty }
        self.init(input, workload: workload, groups: Self.sorted(groups))
    }

    private init(_ input: PictureInput, workload: String, groups: [ArmRuns]) {
        self.input = input
        self.workload = workload
        let varied = Arm.varyingColumns(of: groups.map(\.arm))
        // A column that differs between modes only, such as the topology of a mode that has but one, is a property of
        // the mode.
        let attributes = Arm.columns.map(\.name).filter { !varied.contains($0) && $0 != "mode" }
        let hasMachines = Set(groups.flatMap { $0.usable.map(\.machineId) }).count > 1
        arms = groups.map { group in
            let options = Self.phrases(group.arm, varied)
            let machine = hasMachines ? "machine \(group.usable.first?.machineId ?? "")" : ""
            return PicturedArm(
                group: group, label: Self.label(group.arm, among: groups, attributes: attributes),
                condition: [options, machine].filter { !$0.isEmpty }.joined(separator: ", "))
        }
    }

    /// The mode where that tells the arms' lines apart, else the whole label: names beside a panel have little room.
    func shortLabel(_ arm: PicturedArm) -> String {
        let labels = Set(arms.filter { $0.mode == arm.mode }.map(\.label))
        return labels.count == 1 && !arm.mode.isEmpty ? arm.mode : arm.label
    }

    /// What rings and discs mean, where there are rings.
    var rateKey: [String] {
        arms.allSatisfy(\.group.keptItsRate) ? [] : ["● kept the offered rate  ○ did not, so its latency grows"]
    }

    /// By option, numbers by size, and within equal options by mode: runs are made in random order.
    static func sorted(_ groups: [ArmRuns]) -> [ArmRuns] {
        let columns = Arm.columns.map(\.name).filter { $0 != "mode" } + ["mode"]
        return groups.sorted { left, right in
            let differing = columns.first { left.arm[$0] != right.arm[$0] }
            return differing.map { precedes(left.arm[$0], right.arm[$0]) } ?? false
        }
    }

    private static func label(_ arm: Arm, among groups: [ArmRuns], attributes: [String]) -> String {
        let unusual = attributes.filter { column in
            !arm[column].isEmpty && arm[column] != usual(column, groups)
        }
        return unusual.isEmpty ? arm["mode"] : "\(arm["mode"]) (\(phrases(arm, unusual)))"
    }

    private static func usual(_ column: String, _ groups: [ArmRuns]) -> String {
        let counts = Dictionary(grouping: groups.map { $0.arm[column] }.filter { !$0.isEmpty }) { $0 }
        return counts.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }?.key ?? ""
    }

    private static func phrases(_ arm: Arm, _ columns: [String]) -> String {
        columns.filter { !arm[$0].isEmpty }.map { Arm.phrase($0, arm[$0]) }.joined(separator: ", ")
    }

    /// The conditions, in the order of first appearance; one, empty, where nothing was varied.
    var conditions: [String] { arms.map(\.condition).distinct }

    /// Only the arms that `isIncluded`, whose labels and conditions are made anew.
    func filtered(_ isIncluded: (Arm) -> Bool) -> Catalog {
        Catalog(input, workload: workload, groups: arms.map(\.group).filter { isIncluded($0.arm) })
    }

    /// A catalog for each machine: what ran on one says nothing of the level on another.
    var byMachine: [Catalog] {
        let machines = input.machines
        return machines.count < 2 ? [self] : machines.map { Catalog(input.of(machine: $0), workload: workload) }
    }

    var noun: OperationName { .of(workload: workload) }

    func latencies(_ arm: PicturedArm) -> [(round: Int, latencies: Distribution)] {
        arm.group.usable.compactMap { run in
            input.latencies[run.runId].flatMap { $0.count > 0 ? (run.round, $0) : nil }
        }
    }

    private var runs: [RunRecord] { arms.flatMap(\.group.usable) }

    var subtitle: [String] { (settings + commits).filter { !$0.isEmpty } }

    /// The same without the commit, for where there are several.
    var settings: [String] { ([sample, load, pinning] + machine).filter { !$0.isEmpty } }

    private var sample: String {
        let counts = arms.map(\.group.usable.count)
        let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
        let number = least == most ? "\(most)" : "\(least) to \(most)"
        let lengths = runs.compactMap(\.durationS)
        let length = Axis.Format.time.tick(((median(lengths) ?? 0) * 10).rounded() * 1e8)
        return "n = \(number) \(most == 1 ? "round" : "rounds")" + (lengths.isEmpty ? "" : " of \(length)")
    }

    /// The options that were not varied, as far as they bear on the numbers.
    private var load: String {
        let usual = ["listener": "shared", "service_time": "none", "close": "reset", "implementation": "swift"]
        let columns = [
            "workers", "connections", "message_size_bytes", "depth", "rate_per_s", "slo", "drain", "listener",
            "service_time",
            "close", "implementation",
        ]
        let shared = columns.compactMap { column -> String? in
            let groups = arms.map(\.group)
            guard !Arm.varyingColumns(of: groups.map(\.arm)).contains(column) else { return nil }
            // Where one mode has another value, its label says so.
            let value = Self.usual(column, groups)
            if value.isEmpty || value == "0" || value == usual[column] { return nil }
            return column == "implementation" && value == "external" ? servers : Arm.phrase(column, value)
        }
        return shared.joined(separator: ", ")
    }

    /// Those that are not our loops.
    private var servers: String {
        let names = arms.filter { $0.group.arm["implementation"] == "external" }.map(\.mode).distinct
        return "\(names.count == 1 ? "server" : "servers") \(names.joined(separator: ", "))"
    }

    private var pinning: String {
        let pins = runs.map(\.pinning).distinct
        guard let pin = pins.first, pins.count == 1 else { return "pinning varies" }
        return pin == "none" || pin.isEmpty ? "not pinned" : "pinned \(pin)"
    }

    private var machine: [String] {
        let builds = runs.contains { $0.build == "debug" } ? ["DEBUG BUILD"] : []
        return builds + input.kernels.map { "Linux \($0)" }
    }

    private var commits: [String] {
        let commits = runs.map(\.gitCommit).filter { !$0.isEmpty }.distinct
        return commits.count == 1 ? ["commit \(commits[0])"] : []
    }

    var perOperation: String { "per \(noun.singular)" }
}
