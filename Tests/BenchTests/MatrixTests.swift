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

    @Test func rowsAreGroupedByWhatVariesAndInModeOrder() async throws {
        let modes = ["epoll-lt", "epoll-et", "epoll-oneshot"]
        let expected = ["shared-set", "set-per-worker"].flatMap { topology in
            [8, 64].flatMap { connections in modes.map { "\($0) \(topology) \(connections)" } }
        }
        let found = try await rows(columns: 200).filter { $0.hasPrefix("epoll") }
        #expect(found == expected, "\(found)")
    }

    @Test func withoutRoomForColumnsTheGroupsHaveHeadings() async throws {
        let found = try await rows(columns: 80).filter { $0.contains("connections") || $0.hasPrefix("epoll") }
            .map { $0.hasPrefix("epoll") ? String($0.prefix { $0 != " " }) : $0 }
        let modes = ["epoll-lt", "epoll-et", "epoll-oneshot"]
        let expected = ["shared-set", "set-per-worker"].flatMap { topology in
            [8, 64].flatMap { ["\(topology), \($0) connections"] + modes }
        }
        #expect(found == expected, "\(found)")
    }
}
