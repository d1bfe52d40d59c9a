import Foundation
import Glibc

/// The threads with which the kernel takes the submissions of rings (`IORING_SETUP_SQPOLL`), found by their names, which
/// tell whose they are: `iou-sqp-` and the number of the thread that made the ring, as the first PID namespace counts.
package final class RingPollers: Sendable {
    private let found = Locked<[pid_t: ThreadAccount]>([:])

    package init() {}

    /// The accounts of those that there have been so far, looked for anew.
    package func accounts(of makers: [ThreadAccount]) -> [ThreadAccount] {
        let names = Set(makers.compactMap(\.thread).map { Self.prefix + String($0.thread) })
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return found.withLock { found in
            var pollers = threads.compactMap { pid_t($0) }.filter { found[$0] == nil }
                .map { ($0, Self.name(of: $0)) }.filter { $0.1.hasPrefix(Self.prefix) }
            // In another PID namespace no name fits; then those of this process are theirs.
            if !found.isEmpty || pollers.contains(where: { names.contains($0.1) }) {
                pollers.removeAll { !names.contains($0.1) }
            }
            for (thread, _) in pollers { found[thread] = ThreadAccount(ofKernelThread: thread) }
            return Array(found.values)
        }
    }

    private static let prefix = "iou-sqp-"

    private static func name(of thread: pid_t) -> String {
        let text = try? String(contentsOfFile: "/proc/self/task/\(thread)/comm", encoding: .utf8)
        return text?.trimmingCharacters(in: .newlines) ?? ""
    }
}
