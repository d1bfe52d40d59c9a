import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage

/// A stream of 256 KiB in pieces of odd lengths, each taken before the next is sent, into eight buffers of 4 KiB that are
/// given back as soon as they were read: one part with each completion, and in bundles.
///
/// `parts` counts parts and `buffers` the buffers that were begun; `order` whether buffers were used as they were given
/// back and all bytes were the right ones, without bundles, `bundle_order` the same with them.
let ringReceiveIncremental = Experiment(
    id: "uring-recv-incremental",
    statement: "incremental buffers are consumed in parts, and in order, also by bundles",
    source: .liburing("issue 1423, io_uring_register_buf_ring(3)"), needs: [.bundles, .incrementalBuffers],
    // The order is the kernel's, however late the thread looks.
    conditions: Conditions(
        isDecisive: { $0["buffers"].number >= 16 },
        shortfall: { Conditions.fewer($0, "buffers", than: 16, "buffers") }),
    keys: ["parts", "buffers", "order", "bundle_order"],
    observe: {
        let plain = try incrementalStream([])
        let bundle = try incrementalStream(.bundle)
        return [
            "parts": plain.parts, "buffers": plain.buffers, "order": plain.isInOrder, "bundle_order": bundle.isInOrder,
            "bundle_completions": bundle.completions, "completions": plain.completions,
        ]
    },
    judge: {
        .init(parts: [
            $0["parts"].number > $0["buffers"].number, $0["order"] == true, $0["bundle_order"] == true,
        ])
    },
    explain: { seen in
        func order(_ key: String) -> String { seen[key] == true ? "in order" : "out of order" }
        return "\(seen["parts"]) parts came in \(seen["buffers"]) buffers, \(order("order")); with bundles "
            + "\(order("bundle_order"))."
    })

private struct StreamSeen {
    var parts = 0
    var buffers = 0
    var completions = 0
    var isInOrder = true
}

private func incrementalStream(_ flags: ReceiveFlags) throws -> StreamSeen {
    let total = 1 << 18
    var scene = try ReceiveScene(buffers: 8, bytes: 4096, isIncremental: true)
    let pair = try scene.pair()
    let bytes = (0..<total).map(streamByte)
    var (seen, sent, place, pieces, failures) = (StreamSeen(), 0, 0, 0, 0)
    try scene.receive(pair, flags)
    while sent < total {
        // Some end within a buffer, and some fill several.
        let size = min(total - sent, pieces % 5 == 0 ? 20_000 : 1 + sent % 2999)
        let taken = unsafe try pair.client.send(bytes.span.bytes.extracting(sent..<sent + size))
        guard taken == size else { throw ScriptError("send took less than \(size)") }
        sent += size
        pieces += 1
        while place < sent {
            guard let completion = try scene.next() else { throw Undecided("only \(place) of \(sent) bytes came") }
            if completion.result == 0 { throw ScriptError("the stream ended") }
            if let error = completion.error {
                // Every buffer was given back, so that many in a row would go on for ever.
                failures += 1
                guard failures <= 8 else { throw Undecided("after \(place) bytes only \(errorName(error)) came") }
            } else {
                failures = 0
            }
            seen.completions += 1
            let isArmed = completion.isArmed
            for part in scene.parts(completion) {
                if part.start == 0 {
                    seen.isInOrder = Int(part.buffer) == seen.buffers % 8 && seen.isInOrder
                    seen.buffers += 1
                }
                seen.isInOrder = scene.holds(part, from: place) && seen.isInOrder
                seen.parts += 1
                place += part.count
                scene.group.recycle(part)
            }
            if !isArmed { try scene.receive(pair, flags) }
        }
    }
    pair.end()
    scene.end()
    return seen
}
