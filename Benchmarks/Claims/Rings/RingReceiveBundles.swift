import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage

/// Messages of 64 bytes that wait in a socket, in buffers of 64 bytes: with how many completions they come, each on its
/// own and in bundles.
let ringReceiveBundles = Experiment(
    id: "uring-recv-bundles",
    statement: "a bundle brings with one completion what would take many, whatever the depth",
    source: .liburing("io_uring_prep_recv(3)"), needs: [.bundles],
    keys: depths.flatMap { ["plain_\($0)", "bundle_\($0)"] } + ["in_order"],
    observe: {
        var observed = Observed()
        var isInOrder = true
        for depth in depths {
            for (name, flags) in [("plain", []), ("bundle", .bundle)] as [(String, ReceiveFlags)] {
                var scene = try ReceiveScene(buffers: 128, bytes: 64)
                let pair = try scene.pair()
                let bytes = (0..<64 * depth).map(streamByte)
                guard unsafe try pair.client.send(bytes.span.bytes) == bytes.count else {
                    throw ScriptError("a short send")
                }
                try Patience.until("what was sent arrives") { unreadBytes(pair.server.descriptor) >= bytes.count }
                try scene.receive(pair, flags)
                var (completions, place) = (0, 0)
                while place < bytes.count {
                    guard let completion = try scene.next(), completion.result > 0 else { break }
                    completions += 1
                    for part in scene.parts(completion) {
                        isInOrder = scene.holds(part, from: place) && isInOrder
                        place += part.count
                    }
                    if !completion.isArmed { try scene.receive(pair, flags) }
                }
                guard place == bytes.count else { throw Undecided("only \(place) of \(bytes.count) bytes came") }
                observed["\(name)_\(depth)"] = completions.observed
                pair.end()
                scene.end()
            }
        }
        observed["in_order"] = isInOrder.observed
        return observed
    },
    judge: { seen in
        if seen["in_order"] != true { return .doesNotHold }
        return .init(parts: depths.dropFirst().map { seen["bundle_\($0)"].number < seen["plain_\($0)"].number })
    },
    explain: { seen in
        let counts = depths.map { "\(seen["bundle_\($0)"]) in place of \(seen["plain_\($0)"])" }
        return "Completions for \(depths.map { "\($0)" }.joined(separator: ", ")) messages: "
            + counts.joined(separator: ", ") + (seen["in_order"] == true ? "." : ", and the bytes are out of order.")
    })

private let depths = [1, 4, 16, 64]
