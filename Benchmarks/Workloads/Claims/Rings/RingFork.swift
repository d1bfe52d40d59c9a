import CBenchExtras
import CIOUring
import Glibc
import SystemPackage

/// Who gets the completions after a fork.
///
/// 1. A ring has four completions ready (of requests that do nothing).
/// 2. The process forks; the child inherits the ring's descriptor and the memory that the queues share with the kernel.
/// 3. The child takes two completions.
/// 4. How many of the four are gone for the parent?
extension Experiment {
    static let ringFork = Experiment(
        id: "uring-fork", statement: "what a child takes from an inherited ring is not lost to the parent",
        source: .expectation, needs: [.ring], keys: ["child_stole"],
        observe: {
            var ring = unsafe io_uring()
            let made = unsafe io_uring_queue_init(8, &ring, 0)
            guard made == 0 else { throw Errno(rawValue: -made) }
            defer { unsafe io_uring_queue_exit(&ring) }
            for _ in 1...4 { unsafe io_uring_prep_nop(io_uring_get_sqe(&ring)) }
            _ = unsafe io_uring_submit_and_wait(&ring, 4)
            let before = unsafe io_uring_cq_ready(&ring)
            let child = unsafe c_fork_taking_completions(ring.cq.khead, ring.cq.ktail, 2)
            guard child > 0 else { throw Errno(rawValue: errno) }
            var status: CInt = 0
            while unsafe waitpid(child, &status, 0) < 0 && errno == EINTR {}
            let after = unsafe io_uring_cq_ready(&ring)
            return ["child_stole": before - after, "ready": before, "child_took": (status >> 8) & 0xff]
        },
        judge: { $0["child_stole"] == "0" ? .holds : .doesNotHold },
        explain: { observed in
            "The child takes \(observed["child_took"] ?? "") completions; the parent misses "
                + "\(observed["child_stole"] ?? "")."
        })
}
