import ArgumentParser
import Foundation
import Records
import Workloads

/// `compare.json`: which programs are compared, on which runs, in which order.
struct InterleavedPlan: Codable {
    /// One of the programs.
    struct Side: Codable, Equatable {
        /// `base` or `new`; the folder of its rows.
        var name: String
        var binary: String
        /// Tells whether the file was replaced since.
        var sizeBytes: UInt64
        var modifiedAt: String

        init(name: String, binary: String) throws {
            let path = URL(fileURLWithPath: binary).standardizedFileURL.path
            guard FileManager.default.isExecutableFile(atPath: path),
                let attributes = try? FileManager.default.attributesOfItem(atPath: path),
                attributes[.type] as? FileAttributeType != .typeDirectory
            else { throw Failure(.usage, "\(binary) is not a program; name an executable bench") }
            self.name = name
            self.binary = path
            sizeBytes = (attributes[.size] as? NSNumber)?.uint64Value ?? 0
            modifiedAt = (attributes[.modificationDate] as? Date)?.formatted(.iso8601) ?? ""
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

    /// Checks the options and finds the modes that they stand for.
    init(sides: [Side], arguments: [String], seed: UInt64, blocks: Int, maxBlocks: Int) throws {
        let given = arguments.map { String($0.prefix { $0 != "=" }) }
        if let option = Self.reserved.first(where: given.contains) {
            throw Failure(.usage, "\(option) is set for every run here; leave it out (--blocks says how many)")
        }
        guard blocks >= 1, maxBlocks >= blocks, maxBlocks <= 10_000 else {
            throw Failure(.usage, "--blocks takes 1 to 10000, and --max-blocks no fewer than --blocks")
        }
        let options = try Self.runOptions(arguments)
        self.sides = sides
        self.arguments = arguments
        self.seed = seed
        self.blocks = blocks
        self.maxBlocks = maxBlocks
        modes = try Arms(options, seed: seed).plans.map(\.mode.name).reduce(into: []) {
            if !$0.contains($1) { $0.append($1) }
        }
    }

    /// By mode.
    func armCounts() throws -> [String: Int] {
        let plans = try Arms(Self.runOptions(arguments), seed: seed).plans
        return Dictionary(grouping: plans, by: \.mode.name).mapValues(\.count)
    }

    /// Seconds that a process with all arms of a mode may take: as long as it takes at the most, and a minute to start.
    func limits() throws -> [String: Double] {
        let plans = try Arms(Self.runOptions(arguments), seed: seed).plans
        // A run that is void is tried three times, and other builds may count in rounds of their own.
        return Dictionary(grouping: plans, by: \.mode.name).mapValues { arms in
            60 + arms.map { 6 * $0.longestSeconds }.reduce(0, +)
        }
    }

    /// Options of `bench run` that the user gave after `--`.
    static func runOptions(_ arguments: [String]) throws -> RunOptions {
        do {
            return try RunOptions.parse(arguments)
        } catch {
            let reason = RunOptions.message(for: error).split(separator: "\n").first ?? ""
            throw Failure(.usage, "after --, options of bench run: \(reason)")
        }
    }

    /// The options of a stored invocation without those that the blocks decide.
    static func shared(_ stored: [String], keepingRounds: Bool = false) -> [String] {
        var shared: [String] = []
        var arguments = (stored.first == "run" ? stored.dropFirst() : stored[...])
        while let argument = arguments.popFirst() {
            let name = String(argument.prefix { $0 != "=" })
            guard reserved.contains(name), !(keepingRounds && name == "--rounds") else {
                shared.append(argument)
                continue
            }
            if name == argument && name != "--quiet" { _ = arguments.popFirst() }
        }
        return shared
    }

    /// JSON with sorted keys in snake case.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    /// Reads the plan of an interrupted invocation and checks that its programs are still the same.
    static func read(folder: String) throws -> InterleavedPlan {
        let plan = try stored(in: folder)
        for side in plan.sides where try Side(name: side.name, binary: side.binary) != side {
            throw Failure(.usage, "\(side.binary) has changed since \(folder) was begun; begin anew")
        }
        return plan
    }

    /// Reads the plan in a folder.
    static func stored(in folder: String) throws -> InterleavedPlan {
        let file = folder + "/compare.json"
        guard let data = FileManager.default.contents(atPath: file) else {
            throw Failure(.usage, "\(file) cannot be read; name a folder that bench compare --binaries wrote")
        }
        do {
            let json = try JSONText([UInt8](data), file: file)
            let plan = try json.decode(InterleavedPlan.self)
            if plan.schemaVersion != 1 {
                throw json.error(at: ["schema_version"], "is \(plan.schemaVersion); this version of bench reads 1")
            }
            if plan.sides.map(\.name) != ["base", "new"] {
                throw json.error(at: ["sides"], "are not base and new")
            }
            guard plan.blocks >= 1, plan.maxBlocks >= plan.blocks else {
                throw json.error(at: ["blocks"], "is not from 1 to max_blocks")
            }
            return plan
        } catch let error as CSVError {
            throw Failure(.usage, error.description)
        }
    }
}
