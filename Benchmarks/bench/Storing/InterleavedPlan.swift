import Foundation
import Loops
import Records
import Runs

/// `compare.json`: which programs are compared, on which runs, in which order.
struct InterleavedPlan: Codable {
    struct Side: Codable, Equatable {
        /// `base` or `new`; the folder of its rows.
        var name: String
        var binary: String
        /// The command of the server that this side measures; nil where the sides differ in the program.
        var server: String?
        /// What the side is a measurement of.
        var subject: String { server ?? binary }
        /// Tells whether the file was replaced since.
        var sizeBytes: UInt64
        var modifiedAt: String
        /// The files that the command of the server names and that it has not written itself; nil in folders of earlier
        /// versions.
        var serverFiles: [FileIdentity]?

        init(name: String, binary: String, server: String? = nil) throws {
            let path = URL(fileURLWithPath: binary).standardizedFileURL.path
            guard FileManager.default.isExecutableFile(atPath: path),
                let attributes = try? FileManager.default.attributesOfItem(atPath: path),
                attributes[.type] as? FileAttributeType != .typeDirectory
            else { throw Failure(.usage, "\(binary) is not a program; name an executable bench") }
            self.name = name
            self.server = server
            self.binary = path
            sizeBytes = (attributes[.size] as? NSNumber)?.uint64Value ?? 0
            modifiedAt = (attributes[.modificationDate] as? Date)?.formatted(.iso8601) ?? ""
            serverFiles = server.map(FileIdentity.named)
        }

        /// The program that is not what it was; nil if all are.
        func changed(since earlier: Side) -> String? {
            guard binary == earlier.binary, sizeBytes == earlier.sizeBytes, modifiedAt == earlier.modifiedAt else {
                return earlier.binary
            }
            // What is there only now may be a log.
            guard let now = serverFiles, let before = earlier.serverFiles else { return nil }
            return before.first { !now.contains($0) }?.path
        }

        /// Leaves out what changed while the server ran, which it wrote itself: a log, or the file with its number. No
        /// server writes its programs.
        mutating func forgetWritten() {
            serverFiles = serverFiles?.filter { $0.isProgram || FileIdentity($0.path) == $0 }
        }
    }

    /// The options of the comparison as typed; `nil` where not given.
    struct Criteria: Codable, Equatable {
        var minEffect: String?
        var metrics: String?
        var failOn: String?
        var ignore: String?
    }

    var schemaVersion = 1
    var sides: [Side]
    /// Options of `bench run` that all runs share.
    var arguments: [String]
    var modes: [String]
    var seed: UInt64
    var blocks: Int
    var maxBlocks: Int
    /// What counts as a change; decided before the first run, so that a comparison that goes on keeps to it.
    var criteria: Criteria?
    /// Side and mode in the order in which they ran, a list for each block.
    var order: [[String]] = []
    var interrupted = false

    /// Options that the blocks decide.
    private static let reserved = ["--rounds", "--seed", "--output", "--quiet", "--resume", "--only"]
    private static let sideNames = ["base", "new"]

    /// Checks the options and finds the modes that they stand for; `binaries` are base and new, or base alone, and
    /// `servers` the commands of two servers that this program measures.
    init(
        binaries: [String], servers: [String] = [], arguments: [String], seed: UInt64, blocks: Int,
        maxBlocks: Int? = nil
    ) throws {
        let given = arguments.map { String($0.prefix { $0 != "=" }) }
        if let option = Self.reserved.first(where: given.contains) {
            throw Failure(.usage, "\(option) is set for every run here; leave it out (--blocks says how many)")
        }
        let others = ["--server", "--mode", "--target"]
        if !servers.isEmpty, let option = others.first(where: given.contains) {
            throw Failure(
                .usage, "\(option) and --servers exclude each other: both sides would measure it; leave it out")
        }
        self.maxBlocks = maxBlocks ?? blocks
        guard blocks >= 1, self.maxBlocks >= blocks, self.maxBlocks <= 10_000 else {
            throw Failure(.usage, "--blocks takes 1 to 10000, and --max-blocks no fewer than --blocks")
        }
        self.arguments = arguments
        self.seed = seed
        self.blocks = blocks
        modes = []
        sides =
            servers.isEmpty
            ? try zip(Self.sideNames, binaries).map { try Side(name: $0, binary: $1) }
            : try zip(Self.sideNames, servers).map { try Side(name: $0, binary: ownProgram, server: $1) }
        // The modes of both are the same; each side's options are read, so that a mistake in either is told now.
        for side in sides { modes = try plans(of: side).map(\.name).uniqued }
    }

    private func plans(of side: Side) throws -> [RunPlan] {
        try Arms(RunOptions.typed(arguments(of: side)), seed: seed).plans
    }

    /// The options of `bench run` that a side is measured with.
    func arguments(of side: Side) -> [String] {
        // Both have one name, so that their rows are of one arm.
        arguments + (side.server.map { ["--server", "server=\($0)"] } ?? [])
    }

    /// The arms of each mode: one process runs them all.
    func arms() throws -> [String: [RunPlan]] { Dictionary(grouping: try plans(of: sides[0]), by: \.name) }

    /// The options of a stored invocation without those that the blocks decide.
    static func shared(_ stored: [String], keepingRounds: Bool = false) -> [String] {
        let shared = bench.arguments(stored, without: reserved.filter { !keepingRounds || $0 != "--rounds" })
        return shared.first == "run" ? Array(shared.dropFirst()) : shared
    }

    /// Reads the plan of an interrupted invocation and checks that its programs are still the same.
    static func read(folder: String) throws -> InterleavedPlan {
        let plan = try stored(in: folder)
        for side in plan.sides {
            let now = try Side(name: side.name, binary: side.binary, server: side.server)
            if let program = now.changed(since: side) {
                throw Failure(.usage, "\(program) has changed since \(folder) was begun; begin anew")
            }
        }
        return plan
    }

    static func stored(in folder: String) throws -> InterleavedPlan {
        let file = folder + "/compare.json"
        guard FileManager.default.isReadableFile(atPath: file) else {
            throw Failure(
                .usage, "\(file) cannot be read; name a folder that bench compare --binaries or --servers wrote")
        }
        return try StoredFolder.parsed(file) { bytes, file throws(CSVError) in
            let json = try JSONText(bytes, file: file)
            let plan = try json.decode(InterleavedPlan.self)
            if plan.schemaVersion != 1 {
                throw json.error(at: ["schema_version"], "is \(plan.schemaVersion); this version of bench reads 1")
            }
            if plan.sides.map(\.name) != sideNames { throw json.error(at: ["sides"], "are not base and new") }
            guard plan.blocks >= 1, plan.maxBlocks >= plan.blocks else {
                throw json.error(at: ["blocks"], "is not from 1 to max_blocks")
            }
            return plan
        }
    }
}
