import CBenchExtras
import CIOUring
import Glibc
import SystemPackage

/// Which process gets the completions after a fork: a ring has four completions ready (of requests that do nothing),
/// and the child, which inherits the ring's descriptor and the memory of its queues, takes two. How many does the
/// parent lose?
let ringFork = Experiment(
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
        guard before == 4 else { throw Undecided("\(before) of 4 requests were carried out") }
        let child = unsafe c_fork_taking_completions(ring.cq.khead, ring.cq.ktail, 2)
        guard child > 0 else { throw Errno(rawValue: errno) }
        let taken = exitStatus(of: child)
        guard taken == 2 else { throw Unobservable("the child could not take what was ready") }
        let after = unsafe io_uring_cq_ready(&ring)
        return ["child_stole": before - after, "ready": before, "child_took": taken]
    },
    judge: { .init(holds: $0["child_stole"] == 0) },
    explain: { "The child takes \($0["child_took"]) completions; the parent misses \($0["child_stole"])." })
