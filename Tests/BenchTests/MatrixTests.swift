import Foundation
import TestSupport
import Testing

@Suite struct MatrixTests {
    /// The first words of the table's rows, in their order.
    private func rows(columns: Int) async throws -> [String] {
        // The order in which they run is drawn from the seed.
        let arguments =
            "--mode et,lt,oneshot --topology all --connections 64,8 --drain 20 --rounds 1 --pin none --seed 3 --output out"
        let (_, outcome) = try await BenchProcess.run(
            arguments.split(separator: " ").map(String.init), environment: ["COLUMNS": "\(columns)"])
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        let table = outcome.output.components(separatedBy: "One round:").first ?? ""
        return table.split(separator: "\n").map { line in
            line.split(separator: " ").prefix(3).joined(separator: " ")
        }
    }

    private let modes: Set = ["epoll-lt", "epoll-et", "epoll-oneshot"]
    private let conditions = ["shared-set", "set-per-worker"].flatMap { topology in [8, 64].map { (topology, $0) } }

    /// Which mode is best within a group is the machine's affair.
    @Test func rowsAreGroupedByWhatVaries() async throws {
        let found = try await rows(columns: 200).filter { $0.hasPrefix("epoll") }
        #expect(found.count == 12)
        for (group, condition) in conditions.enumerated() {
            let own = found.dropFirst(3 * group).prefix(3)
            #expect(Set(own) == Set(modes.map { "\($0) \(condition.0) \(condition.1)" }), "\(found)")
        }
    }

    @Test func withoutRoomForColumnsTheGroupsHaveHeadings() async throws {
        let found = try await rows(columns: 60).filter { $0.contains("connections") || $0.hasPrefix("epoll") }
            .map { $0.hasPrefix("epoll") ? String($0.prefix { $0 != " " }) : $0 }
        #expect(found.count == 16)
        for (group, condition) in conditions.enumerated() {
            let own = found.dropFirst(4 * group).prefix(4)
            #expect(own.first == "\(condition.0), \(condition.1) connections", "\(found)")
            #expect(Set(own.dropFirst()) == modes, "\(found)")
        }
    }
}
