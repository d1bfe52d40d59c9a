import Reports

struct Sheet {
    let layout: Layout
    let format: PictureFormat
    let name: String
}

extension Pictures {
    private typealias Builder = @Sendable (Catalog, Sheet) throws(NothingToDraw) -> Picture

    /// The kinds that are drawn for each workload.
    private static let builders: [(kind: PictureKind, build: Builder)] = [
        (.latency, latencyPicture), (.throughput, throughputPicture), (.cost, costPicture),
        (.fairness, fairnessPicture), (.growth, growthPicture), (.capacity, capacityPicture),
        (.time, timePicture), (.comparison, comparisonPicture), (.history, historyPicture),
    ]

    /// Those that most runs have the data for, and whose absence is worth a word.
    private static let expected: Set<PictureKind> = [.latency, .throughput, .cost]

    /// Draws what the folders hold; without `kinds` all that there are data for.
    package init(_ input: PictureInput, kinds: [PictureKind]?, layout: Layout, format: PictureFormat) {
        let wanted = Set(kinds ?? PictureKind.allCases)
        for (number, workload) in input.workloads.enumerated() {
            let catalog = Catalog(input, workload: workload)
            for (kind, build) in Self.builders where wanted.contains(kind) {
                let name = Self.fileName(kind, input: input, workload: workload, number: number)
                let catalogs = kind == .history ? catalog.byMachine : [catalog]
                for (place, catalog) in catalogs.enumerated() {
                    let name = catalogs.count == 1 ? name : "\(name)-machine-\(place + 1)"
                    do throws(NothingToDraw) {
                        guard !catalog.arms.isEmpty else { throw NothingToDraw(reason: "no run has the status ok") }
                        pictures.append(try build(catalog, Sheet(layout: layout, format: format, name: name)))
                    } catch {
                        guard kinds != nil || Self.expected.contains(kind) else { continue }
                        let machine = catalogs.count == 1 ? "" : " on machine \(catalog.input.machines.joined())"
                        notes.append("no \(kind.rawValue) picture of \(workload)\(machine): \(error.reason)")
                    }
                }
            }
        }
        let machines = input.machines
        if machines.count > 1 {
            notes.append(
                "the folders are of \(machines.count) machines (\(machines.joined(separator: ", "))), whose figures do not "
                    + "compare with one another's")
        }
        if input.records.isEmpty { notes.append("nothing to draw: runs.csv has no rows") }
        let order = PictureKind.allCases
        pictures = pictures.enumerated().sorted {
            let (left, right) = (order.firstIndex(of: $0.element.kind) ?? 0, order.firstIndex(of: $1.element.kind) ?? 0)
            return (left, $0.offset) < (right, $1.offset)
        }.map(\.element)
    }

    /// `latency`, or `latency-accept` where there are several workloads.
    private static func fileName(_ kind: PictureKind, input: PictureInput, workload: String, number: Int) -> String {
        let plain = input.workloads.map { plainName(String($0.prefix(40))) }
        if plain.count == 1 { return kind.rawValue }
        let isUnique = plain.count { $0 == plain[number] } == 1
        return "\(kind.rawValue)-\(plain[number])" + (isUnique ? "" : "-\(number + 1)")
    }
}
