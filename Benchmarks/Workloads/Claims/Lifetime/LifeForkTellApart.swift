import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage

/// Ways to find out whether the new socket of the fork scenario is still connecting, each asked while the old one's
/// ghost is reported under its number: before it is connected, and when it is. A value of `a|b` is the answer before
/// and after; `ghosts` counts those of ten waits that reported the ghost, before and after.
extension Experiment {
    static let lifeForkTellApart = Experiment(
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
                observed[question.key] = "\(before[index])|\(after[index])"
            }
            observed["ghosts"] = "\(ghostsBefore)|\(ghostsAfter)"
            return observed
        },
        judge: { observed in
            let telling = telling(observed).count
            return telling == 0 ? .holds : .doesNotHold
        },
        explain: { observed in
            let telling = telling(observed)
            return telling.isEmpty ? "No question tells." : "It can be told by \(telling.joined(separator: ", "))."
        })

    /// The questions whose answers differ.
    private static func telling(_ observed: Observed) -> [String] {
        questions.map(\.key).filter { key in
            let answers = (observed[key] ?? "").split(separator: "|", omittingEmptySubsequences: false)
            return answers.count == 2 && answers[0] != answers[1]
        }
    }
}

private struct Question: Sendable {
    let key: String
    let ask: @Sendable (BorrowedDescriptor) -> String
}

private let questions = [
    Question(key: "getpeername") { socket in
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = unsafe withUnsafeMutableBytes(of: &address) {
            unsafe getpeername(socket.rawValue, $0.assumingMemoryBound(to: sockaddr.self).baseAddress!, &length)
        }
        return result == 0 ? "ok" : errorName(Errno(rawValue: errno))
    },
    Question(key: "tcp_info") { tcpState(of: $0) },
    Question(key: "poll") { socket in
        var entry = pollfd(fd: socket.rawValue, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&entry, 1, 0)
        return pollNames(entry.revents)
    },
    Question(key: "so_error") { socket in
        do throws(Errno) {
            return try takeSocketError(of: socket).map(errorName) ?? "0"
        } catch {
            return errorName(error)
        }
    },
]
