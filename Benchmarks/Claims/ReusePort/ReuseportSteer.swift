import LinuxSockets
import Meters
import SystemPackage

/// Whether a BPF program, or an option, sends each connection to the listener of the processor on which it arrives. There is a
/// listener for each processor up to the fourth available one, and on each of these a pinned thread makes 50
/// connections: on loopback the SYN arrives on the processor that sent it. What waits at another processor's listener
/// is counted, first with the kernel's own hash (`wrong_by_hash`), to show that the count can see it, then with the
/// program.
let reuseportClassicSteer = steering(
    "reuseport-cbpf-steer",
    "a classic BPF program (SO_ATTACH_REUSEPORT_CBPF) picks the listener of the processor that got the connection",
    requirement: "SO_ATTACH_REUSEPORT_CBPF needs Linux 4.6 for TCP"
) { group throws(Errno) in
    try attachClassicReuseportProgram(to: group[0])
}

let reuseportProgramSteer = steering(
    "reuseport-ebpf-steer",
    "an eBPF program (SO_ATTACH_REUSEPORT_EBPF) picks the listener of the processor that got the connection",
    requirement: "SO_ATTACH_REUSEPORT_EBPF needs Linux 4.6 for TCP"
) { group throws(Errno) in
    try ReuseportProgram.byProcessor(listeners: group.count).attach(to: group[0])
}

/// The same without a program: each listener names its processor.
let reuseportIncomingSteer = steering(
    "reuseport-incoming-cpu-steer",
    "SO_INCOMING_CPU picks the listener of the processor that got the connection, without BPF",
    requirement: "SO_INCOMING_CPU can be set since Linux 4.4"
) { group throws(Errno) in
    for index in 0..<group.count { try setSocketOption(.incomingProcessor(index), on: group[index]) }
}

private func steering(
    _ id: String, _ statement: String, requirement: String,
    attach: @escaping @Sendable (borrowing ReuseportGroup) throws(Errno) -> Void
) -> Experiment {
    Experiment(
        id: id, statement: statement, source: .manual("socket(7)"), descriptors: 200,
        keys: ["connections", "wrong_listener"],
        observe: {
            let processors = Array(Affinity.available().prefix(4))
            guard let highest = processors.last, processors.count > 1 else {
                throw Unobservable("there is one processor, so there is nothing to choose from")
            }
            let group = try ReuseportGroup(count: highest + 1)
            let byHash = try countWrong(group, processors)
            do throws(Errno) {
                try attach(group)
            } catch {
                throw loadingFailed(error, requirement: requirement)
            }
            let wrong = try countWrong(group, processors)
            group.end()
            return [
                "connections": perProcessor * processors.count, "wrong_listener": wrong,
                "processors": processors.count, "wrong_by_hash": byHash,
            ]
        },
        judge: { .init(holds: $0["wrong_listener"] == 0) },
        explain: {
            "\($0["wrong_listener"]) of \($0["connections"]) connections came to the listener of another processor."
        })
}

private let perProcessor = 50

private func countWrong(_ group: borrowing ReuseportGroup, _ processors: [Int]) throws -> Int {
    let address = group.address
    var wrong = 0
    for processor in processors {
        let thread = try ScriptThread("client-\(processor)")
        defer { thread.end() }
        let clients = try thread.perform {
            do { try Affinity.pinThisThread(to: processor) } catch {
                throw Unobservable("threads cannot be pinned here: \(error)")
            }
            return try connectClients(to: address, count: perProcessor)
        }
        try Patience.until("the connections wait to be accepted") { group.waiting >= perProcessor }
        for index in 0..<group.count {
            let served = try group.serve(index).count
            if index != processor { wrong += served }
        }
        guard try fates(clients)[.served] == perProcessor else {
            throw Undecided("a connection was not served within 10 s")
        }
    }
    return wrong
}
