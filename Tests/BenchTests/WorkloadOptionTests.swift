import ArgumentParser
import Foundation
import Load
import Loops
import Meters
import Records
import Runs
import TestSupport
import Testing

@testable import bench

/// Each option belongs to the workloads of its group, and to no others.
@Suite struct WorkloadOptionTests {
    /// A group's workloads, and its options as a user types them.
    private struct Group {
        let title: String
        let workloads: [Workload]
        let options: [[String]]
    }

    private static func groups() throws -> [Group] {
        let run = try #require(CommandTree.read(Bench.self)?.command("run"))
        return RunOptions.workloadGroups.map { group in
            let title = group.title
            let options = run.options.filter { $0.sectionTitle == title }.compactMap { option -> [String]? in
                guard let name = option.option else { return nil }
                return option.kind == "flag" ? [name] : [name, "1"]
            }
            return Group(title: title, workloads: group.workloads, options: options)
        }
    }

    private func refusal(of options: RunOptions, by workload: Workload) -> Failure? {
        do {
            try options.refuseForeign(to: workload)
            return nil
        } catch {
            return error as? Failure
        }
    }

    @Test func everyOptionIsRefusedByTheWorkloadsWithoutItAndByNoOther() throws {
        let groups = try Self.groups()
        #expect(Set(groups.map(\.title)).count == 15)
        for group in groups {
            #expect(!group.options.isEmpty, "\(group.title)")
            for option in group.options {
                let parsed = try RunOptions.parse(option)
                #expect(parsed.given.contains(option[0]))
                for workload in Workload.allCases {
                    let failure = refusal(of: parsed, by: workload)
                    #expect((failure == nil) == group.workloads.contains(workload), "\(option) \(workload)")
                    guard let failure else { continue }
                    let message = failure.message
                    #expect(failure.exit == .usage && !message.contains("\n"))
                    #expect(message.hasPrefix("\(option[0]) belongs to --workload "), "\(message)")
                    #expect(message.contains("the workload is \(workload.rawValue)"), "\(message)")
                }
            }
        }
    }

    @Test func nothingIsGivenByDefault() throws {
        let options = try RunOptions.parse([])
        let given = options.workloadGroups.map { $0.given.count }
        #expect(given.allSatisfy { $0 == 0 } && given.count == 15)
    }

    @Test(arguments: Workload.allCases) func theHelpOfAWorkloadHasItsOwnOptionsOnly(_ workload: Workload) async throws {
        let (_, all) = try await BenchProcess.run(["run", "--help"], environment: ["COLUMNS": "200"])
        let (_, own) = try await BenchProcess.run(
            ["run", "--workload", workload.rawValue, "--help"], environment: ["COLUMNS": "200"])
        #expect(all.exit == 0 && own.exit == 0)
        for group in try Self.groups() {
            for option in group.options.map({ $0[0] }) {
                #expect(all.output.contains("\n  \(option) "))
                #expect(own.output.contains("\n  \(option) ") == group.workloads.contains(workload), "\(option)")
            }
        }
        for option in ["--mode", "--workload", "--rounds", "--resume"] {
            #expect(own.output.contains("\n  \(option) "))
        }
    }

    @Test func completionOffersTheOptionsOfTheWorkload() throws {
        let tree = try #require(CommandTree.read(Bench.self))
        let words = Completion(tree: tree, before: ["bench", "run", "--workload", "wake"]).lines("--")
            .map { String($0.prefix { $0 != "\t" }) }
        #expect(words.contains("--signal") && words.contains("--mode"))
        #expect(!words.contains("--workers") && !words.contains("--drain") && !words.contains("--workload"))
    }

    /// A list of two is two arms: an option without a column of its own would merge them.
    @Test(arguments: [
        ["--workers", "1,2"], ["--connections", "8,16"], ["--listener", "shared,reuseport"], ["--mode", "lt,et"],
        ["--topology", "shared-set,set-per-worker"], ["--implementation", "swift,c"],
        ["--mode", "oneshot", "--rearm", "early,late"], ["--sweep", "100:200:100"],
    ]) func everyListIsAsManyArms(_ words: [String]) throws {
        let mode = words[0] == "--mode" ? [] : ["--mode", "lt"]
        #expect(try Arms(RunOptions.parse(mode + words), seed: 1).plans.count == 2)
    }

    /// Every option that is no list tells two runs apart.
    @Test(arguments: [
        ["--clients", "2"], ["--rate", "100", "--connections", "64"], ["--slo", "p99=1ms", "--connections", "64"],
        ["--service-time", "fixed:1ms"],
        ["--close", "orderly"], ["--drain", "100"], ["--workload", "crr"], ["--workload", "read"],
        ["--workload", "datagram"], ["--workload", "datagram", "--depth", "2"],
        ["--service-time", "fixed:1ms", "--service", "sleep"], ["--connect-rate", "100"],
        ["--think", "1ms", "--workload", "read"], ["--spin", "50us"],
        ["--mode", "uring-sqpoll", "--poller-idle", "2ms"], ["--mode", "uring-sqpoll", "--poller-cpu", "0"],
    ]) func everyOptionMakesAnotherArm(_ words: [String]) throws {
        let common = ["--mode", "lt", "--pin", "none"]
        let base = try #require(Arms(RunOptions.parse(common), seed: 1).plans.first)
        let other = try #require(Arms(RunOptions.parse(common + words), seed: 1).plans.first)
        #expect(Arm(RunRecord(base)) != Arm(RunRecord(other)))
    }

    /// A timer is one thread, which has no other side to keep off its processor.
    @Test func oneProcessorIsEnoughForATimer() throws {
        let processor = Affinity.available()[0]
        let words = ["--workload", "wake", "--mode", "lt", "--pin", "\(processor)", "--shape"]
        let plans = try Arms(RunOptions.parse(words + ["timer"]), seed: 1).plans
        #expect(plans.map(\.placement) == [Placement(workers: [processor], clients: [])])
        for shape in ["ping-pong", "pool"] {
            #expect(throws: Failure.self) { try Arms(RunOptions.parse(words + [shape]), seed: 1) }
        }
    }

    /// How a ring waits is told apart too, and what is the same in other units is not.
    @Test func everyWayToWaitMakesAnotherArm() throws {
        let ways = [
            [], ["--spin", "50us"], ["--spin", "60us"], ["--wait-for", "8", "--wait-limit", "100us"],
            ["--wait-for", "9", "--wait-limit", "100us"], ["--wait-for", "8", "--wait-limit", "200us"],
            ["--wait-for", "8", "--min-wait", "100us"],
            ["--wait-for", "8", "--min-wait", "100us", "--wait-limit", "1ms"],
            ["--wait-for", "8", "--min-wait", "100us", "--spin", "50us"],
        ]
        let arms = try ways.map { words in
            let plans = try Arms(RunOptions.parse(["--mode", "uring-single"] + words), seed: 1).plans
            return Arm(RunRecord(try #require(plans.first)))
        }
        #expect(Set(arms).count == ways.count)
        let same = try ["50us", "50000ns"].map { time in
            try Arms(RunOptions.parse(["--mode", "poll", "--spin", time]), seed: 1).plans.map { RunRecord($0).options }
        }
        #expect(same == [["spin=50us"], ["spin=50us"]])
        let full = try Arms(RunOptions.parse(["--mode", "uring-poll"] + ways[7] + ["--spin", "1500ns"]), seed: 1)
        #expect(full.plans.map { RunRecord($0).options } == ["spin=1500ns;wait_for=8;wait_limit=1000us;min_wait=100us"])
        // What a variant does by itself is in its name.
        let variant = try Arms(RunOptions.parse(["--mode", "uring-spin"]), seed: 1).plans
        #expect(variant.map { RunRecord($0).options } == [""])
    }

    /// Of all modes those remain that can, and the others are left out with a reason.
    @Test func modesThatCannotWaitSoAreLeftOut() throws {
        let spinning = try Arms(RunOptions.parse(["--mode", "everything", "--spin", "50us"]), seed: 1)
        let names = Set(spinning.plans.map(\.name))
        #expect(names.isSuperset(of: ["select", "poll", "epoll-lt", "dispatcher", "uring-multishot", "interest-set"]))
        #expect(names.isDisjoint(with: ["blocking", "async-set", "async-ring", "descriptor-ring"]))
        #expect(spinning.notes.contains { $0.hasPrefix("blocking cannot look before it blocks") })
        let waiting = try Arms(
            RunOptions.parse(["--mode", "all", "--wait-for", "4", "--wait-limit", "1ms"]), seed: 1)
        #expect(waiting.plans.map(\.name) == ["uring-single", "uring-multishot", "uring-direct", "uring-poll"])
        for (words, message) in [
            (["--mode", "blocking", "--spin", "1us"], "the epoll modes, select, poll and the uring modes can"),
            (
                ["--mode", "lt", "--wait-for", "4", "--wait-limit", "1ms"],
                "uring-single, uring-multishot, uring-direct"
            ),
            (["--mode", "uring-poll", "--wait-for", "4"], "would wait for ever when fewer come"),
            (["--mode", "uring-poll", "--wait-limit", "1ms"], "--wait-limit is a time of --wait-for"),
            (["--mode", "uring-poll", "--wait-for", "1", "--min-wait", "1ms"], "--wait-for takes 2 to 64"),
            (["--mode", "uring-poll", "--wait-for", "2", "--min-wait", "1500ns"], "whole microseconds"),
            (["--mode", "lt", "--poller-idle", "1ms"], "uring-sqpoll only"),
            (["--mode", "uring-sqpoll", "--poller-idle", "1us"], "whole milliseconds"),
            (["--mode", "uring-sqpoll", "--poller-cpu", "4095"], "on and allowed"),
            (["--mode", "lt", "--spin", "2s"], "--spin takes a second at the most"),
            (["--mode", "lt", "--spin", "1us", "--implementation", "c"], "--implementation c waits in one way"),
        ] {
            let failure = #expect(throws: Failure.self) { try Arms(RunOptions.parse(words), seed: 1) }
            #expect(failure?.message.contains(message) == true, "\(words): \(failure?.message ?? "")")
        }
    }

    /// Each run has its counterpart without the options, and what has none to leave out is run once.
    @Test func whatOptionsAreWorthIsComparedWithoutThem() throws {
        let words = ["--mode", "lt,uring-sqpoll", "--compare-without", "--workload", "crr"]
        let waits = try Arms(RunOptions.parse(words + ["--poller-cpu", "0", "--poller-idle", "1ms"]), seed: 1).plans
        #expect(waits.map(\.name) == ["epoll-lt", "uring-sqpoll", "uring-sqpoll"])
        #expect(waits.map { RunRecord($0).options } == ["", "poller_idle=1000us;poller_cpu=0", ""])
        let begins = try Arms(RunOptions.parse(words + ["--defer-accept", "--fast-open"]), seed: 1).plans
        #expect(
            begins.map { RunRecord($0).options } == ["defer-accept;fast-open", "", "defer-accept;fast-open", ""])
        let failure = #expect(throws: Failure.self) { try Arms(RunOptions.parse(words), seed: 1) }
        #expect(failure?.message.contains("none is given") == true)
    }

    @Test(
        arguments: [
            ([], [1_000]), (["--rate", "1000"], [1_200]), (["--rate", "1000", "--duration", "1s"], [1_000]),
            (["--sweep", "500:100500:100000"], [2_400, 1_000]), (["--slo", "p99.9=1ms"], [10_000]),
            (["--rate", "5000", "--service-time", "fixed:1us", "--server", "a=b {port}"], [2_400, 2_400]),
        ] as [([String], [UInt64])])
    func onlyAnOpenLoopWithoutADurationIsLengthened(_ words: [String], _ milliseconds: [UInt64]) throws {
        let plans = try Arms(RunOptions.parse(["--mode", "lt"] + words), seed: 1).plans
        #expect(plans.map(\.durationNanoseconds) == milliseconds.map { $0 * 1_000_000 })
    }

    /// What is asked tells runs apart, even where it begins alike.
    @Test(arguments: [
        ["--protocol", "http"], ["--protocol", "http", "--path", "/a"], ["--protocol", "http", "--header", "A: b"],
        ["--protocol", "http", "--method", "HEAD"], ["--protocol", "redis"], ["--protocol", "memcached"],
        ["--protocol", "redis", "--command", "GET a"], ["--protocol", "memcached", "--command", "get a"],
    ]) func everyRequestMakesAnotherArm(_ words: [String]) throws {
        let common = ["--mode", "lt", "--pin", "none", "--workload", "read"]
        let others = [[], ["--protocol", "http", "--path", "/b"], ["--protocol", "redis", "--command", "GET b"]]
        let arm = try #require(Arms(RunOptions.parse(common + words), seed: 1).plans.first)
        for other in others {
            let plan = try #require(Arms(RunOptions.parse(common + other), seed: 1).plans.first)
            #expect(Arm(RunRecord(arm)) != Arm(RunRecord(plan)), "\(other)")
        }
    }

    @Test(
        .enabled(if: TLSContext.refusal == nil),
        arguments: [
            ["--tls"], ["--tls", "--tls-name", "a.test"], ["--tls", "--tls-ca", "/etc/ssl/certs/ca-certificates.crt"],
        ]) func everyKindOfTLSMakesAnotherArm(_ words: [String]) throws
    {
        let common = ["--workload", "read", "--target", "127.0.0.1:1", "--pin", "none"]
        let arm = try #require(Arms(RunOptions.parse(common + words), seed: 1).plans.first)
        for other in [[], ["--tls", "--tls-name", "b.test"]] {
            let plan = try #require(Arms(RunOptions.parse(common + other), seed: 1).plans.first)
            #expect(Arm(RunRecord(arm)) != Arm(RunRecord(plan)), "\(other)")
        }
    }

    @Test func armsAreToldApartByTheColumnsOfTheirRows() throws {
        let options = try RunOptions.parse(["--mode", "lt,lt,blocking", "--workload", "read", "--workers", "1,2"])
        // A blocking read has a thread for each connection, whatever the number of workers.
        #expect(try Arms(options, seed: 1).plans.map(\.name) == ["epoll-lt", "epoll-lt", "blocking"])
    }
}
