import LinuxRings
import Meters

extension Mode {
    /// Who copies what is sent.
    static let sendingVariants: [Mode] = [
        classic("uring-multishot").variant(
            "uring-zerocopy", kernel: "6.0", needs: [.zeroCopySend], workloads: [.crr, .read], references: [.read],
            summary: "sends each reply from where it is; its buffer is free when the kernel says so"
        ) { $0.zeroCopy = .plain },
        classic("uring-multishot").variant(
            "uring-zerocopy-fixed", kernel: "6.0", needs: [.zeroCopySend], workloads: [.crr, .read],
            summary: "as uring-zerocopy, from memory that the ring was given beforehand"
        ) { $0.zeroCopy = .registered },
    ]

    /// Who hands requests over.
    static let pollerVariants: [Mode] = [
        classic("uring-multishot").variant(
            "uring-sqpoll", kernel: "6.0", needs: [.submissionPoller], references: [.read],
            summary: "a thread of the kernel takes the requests (IORING_SETUP_SQPOLL); its time is the server's"
        ) { $0.poller = SubmissionPoller() }
    ]
}
