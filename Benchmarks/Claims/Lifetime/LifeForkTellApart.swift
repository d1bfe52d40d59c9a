import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage

/// Ways to find out whether the new socket of the fork scenario is still connecting, each tried while the old one's
/// ghost is reported under its number: before it is connected, and when it is. A value of `a|b` is the answer before
/// and after; `ghosts` counts those of ten waits that reported the ghost, before and after.
let lifeForkTellApart = Experiment(
    id: "life-fork-tell-apart",
    statement: "one cannot find out, beside a ghost, whether the new socket is still connecting",
    source: .l, keys: questions.map(\.key),
    observe: {
        var scene = try ForkScene()
        try scene.oldSocketConnects()
        let socket = scene.newSocket.descriptor
        let ghostsBefore = try scene.ghosts()
        let before = questions.map { $0.ask(socket) }
        try scene.newSocketConnects()
        let ghostsAfter = try scene.ghosts()
        let after = questions.map { $0.ask(socket) }
        scene.end()
        var observed = Observed()
        for (index, question) in questions.enumerated() {
            observed[question.key] = .list([before[index], after[index]], "|")
        }
        observed["ghosts"] = .list([ghostsBefore, ghostsAfter], "|")
        return observed
    },
    judge: { .init(holds: telling($0).isEmpty) },
    explain: { observed in
        let telling = telling(observed)
        return telling.isEmpty ? "No question tells." : "It can be told by \(telling.joined(separator: ", "))."
    })

private let questions: [(key: String, ask: @Sendable (BorrowedDescriptor) -> String)] = [
    ("getpeername", peerNameOutcome), ("tcp_info", { tcpState(of: $0) }), ("poll", { polled($0, POLLOUT) }),
    ("so_error", socketError),
]

@Sendable private func peerNameOutcome(_ socket: BorrowedDescriptor) -> String {
    var address = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = unsafe withUnsafeMutableBytes(of: &address) {
        unsafe getpeername(socket.rawValue, $0.assumingMemoryBound(to: sockaddr.self).baseAddress!, &length)
    }
    return result == 0 ? "ok" : errorName(Errno(rawValue: errno))
}

@Sendable private func socketError(_ socket: BorrowedDescriptor) -> String {
    do throws(Errno) {
        return try takeSocketError(of: socket).map { errorName($0) } ?? "0"
    } catch {
        return errorName(error)
    }
}

private func telling(_ observed: Observed) -> [String] {
    questions.map(\.key).filter { key in
        let answers = observed[key].elements
        return answers.count == 2 && answers[0] != answers[1]
    }
}
