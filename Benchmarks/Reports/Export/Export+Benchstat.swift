package import Records

/// Go's benchmark format: one line per run, so that benchstat has the samples and not only their median.
///
/// The operations of the run stand where Go has the iterations. https://go.dev/design/14313-benchmark-format
package func goBenchmarkFormat(_ records: [RunRecord]) -> String {
    let arms = ExportedArm.all(records)
    var text = "goos: linux\npkg: linux-events\n"
    for column in Column.metrics {
        let better = column.better == .higher ? "higher" : "lower"
        text += "Unit \(goUnit(column)) better=\(better)\n"
    }
    for arm in arms {
        let name = goName(arm.name)
        for run in arm.group.usable {
            let metrics = Column.metrics.compactMap { column in
                column.number(of: run).map { "\($0.csvText) \(goUnit(column))" }
            }
            guard !metrics.isEmpty else { continue }
            text += "Benchmark\(name) \(max(1, run.operations)) \(metrics.joined(separator: " "))\n"
        }
    }
    return text
}

/// `ns/op` and the like where Go has such a unit, which it scales for reading; else the column's name, which holds it.
private func goUnit(_ column: Column) -> String {
    // Two metrics in one unit would be taken for one, so the name leads.
    switch column.unit {
    case "ns/op": column.name.replacingSuffix("_ns_per_op", with: "-ns/op")
    case "1/op": column.name.replacingSuffix("_per_op", with: "/op")
    case "1/s": column.name.replacingSuffix("_ops_per_s", with: "-op/s")
    case "ns": column.name.replacingSuffix("_ns", with: "-ns")
    default: column.name
    }
}

/// Starts with an upper-case letter and holds no space; `/` and `=` separate what benchstat can group by.
private func goName(_ name: String) -> String {
    let plain = name.map { $0 == "/" || $0 == "=" ? String($0) : plainName(String($0)) }.joined()
    return plain.prefix(1).uppercased() + plain.dropFirst()
}

extension String {
    fileprivate func replacingSuffix(_ suffix: String, with new: String) -> String {
        hasSuffix(suffix) ? dropLast(suffix.count) + new : self
    }
}
