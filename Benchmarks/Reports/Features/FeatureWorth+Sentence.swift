import Records
import Statistics

extension FeatureWorth {
    /// When to use it, as far as the runs tell.
    package var sentence: String {
        // What is cheaper and later is a choice, and no gain.
        let traded = cells.filter { $0.cpu?.isLess == true && $0.latency?.isMore == true }
        let cheaper = cells.filter { $0.cpu?.isLess == true && $0.latency?.isMore != true }
        let dearer = cells.filter { $0.cpu?.isMore == true }
        let isTradedOnly = cheaper.isEmpty && dearer.isEmpty && !traded.isEmpty
        let trade =
            traded.isEmpty
            ? nil
            : "Cheaper but later with \(places(traded)): server CPU \(range(traded, \.cpu)), median latency "
                + "\(range(traded, \.latency))."
        let parts = [isTradedOnly ? nil : verdict(cheaper, dearer, traded.count), trade, waits].compactMap { $0 }
        return parts.joined(separator: " ")
    }

    private func verdict(_ cheaper: [Cell], _ dearer: [Cell], _ traded: Int) -> String {
        switch (cheaper.isEmpty, dearer.isEmpty) {
        case (true, true): nothingShown
        case (false, true):
            "Use it with \(places(cheaper)): server CPU \(range(cheaper, \.cpu)).\(rest(cheaper.count + traded))"
        case (true, false): "Not here: server CPU \(range(dearer, \.cpu)) with \(places(dearer))."
        case (false, false):
            "Use it with \(places(cheaper)): server CPU \(range(cheaper, \.cpu)); not with \(places(dearer)): "
                + "\(range(dearer, \.cpu))."
        }
    }

    /// No load showed a difference: within which bounds it lies.
    private var nothingShown: String {
        let ends = cells.compactMap { $0.cpu?.interval }.flatMap { [1 - $0.lower, $0.upper - 1] }
        guard let widest = ends.max() else { return "Not decided: fewer than six rounds." }
        let bound = HumanUnits.percent(max(widest, Change.margin))
        return widest <= Change.small
            ? "Not here: it changes server CPU by less than \(bound), either way."
            : "Not decided: no difference is shown, and \(bound) either way is not ruled out."
    }

    private func rest(_ count: Int) -> String { count < cells.count ? " Elsewhere no difference is shown." : "" }

    /// What it does to the latency, where that is another thing than what the CPU time says.
    private var waits: String? {
        let later = cells.filter { $0.latency?.isMore == true && $0.cpu?.isMore != true && $0.cpu?.isLess != true }
        let sooner = cells.filter { $0.latency?.isLess == true && $0.cpu?.isLess != true }
        let parts = [later, sooner].filter { !$0.isEmpty }.map { "\(range($0, \.latency)) with \(places($0))" }
        return parts.isEmpty ? nil : "Median latency \(parts.joined(separator: ", "))."
    }

    /// `−12 %`, or `−20 to −12 %` where cells differ.
    private func range(_ cells: [Cell], _ change: KeyPath<Cell, Change?>) -> String {
        let ratios = cells.compactMap { $0[keyPath: change]?.ratio }
        guard let least = ratios.min(), let most = ratios.max() else { return "" }
        let (low, high) = (Self.percent(least), Self.percent(most))
        return low == high ? "\(low) %" : "\(low) to \(high) %"
    }

    static func percent(_ ratio: Double) -> String {
        let change = 100 * (ratio - 1)
        return (change < 0 ? "−" : "+") + Decimal.fixed(abs(change), digits: 0)
    }

    /// The loads of some cells: all of them, those of some modes, numbers of connections or sizes of messages, or each by name.
    private func places(_ some: [Cell]) -> String {
        if some.count == cells.count {
            let depths = Set(cells.map { $0.load.depth ?? 1 })
            return depths.count == 1 && depths != [1] ? "every load of depth \(depths.first ?? 1)" : "every load"
        }
        let chosen = Set(some.map(\.load))
        for property in [\Load.mode, \Load.connectionsPhrase, \Load.messagePhrase, \Load.workload] {
            let names = some.map { $0.load[keyPath: property] }.distinct
            let all = cells.map(\.load).filter { names.contains($0[keyPath: property]) }
            if Set(all) == chosen { return Self.list(names) }
        }
        // The table has each of them.
        return some.count > 3 ? "\(some.count) of \(cells.count) loads" : Self.list(some.map(\.load.phrase))
    }

    private static func list(_ names: [String]) -> String {
        names.count < 2 ? names.joined() : names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
    }
}

extension FeatureWorth.Load {
    var connectionsPhrase: String { Arm.phrase("connections", String(connections)) }
    var messagePhrase: String { messageBytes.map { "messages of \($0) B" } ?? "no messages" }
    var phrase: String {
        let message = messageBytes.map { " of \($0) B" } ?? ""
        let depth = depth.map { $0 > 1 ? ", depth \($0)" : "" } ?? ""
        let load = shape.isEmpty ? "\(workload) of \(connectionsPhrase)\(message)\(depth)" : "\(workload), \(shape)"
        return mode.isEmpty ? load : "\(mode), \(load)"
    }
}
