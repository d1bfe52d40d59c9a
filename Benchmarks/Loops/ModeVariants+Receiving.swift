import Meters

extension Mode {
    /// What a receive that completes many times brings: several buffers at once, parts of large ones, and both.
    static let receiving: [Mode] = [
        classic("uring-multishot").variant(
            "uring-bundle", kernel: "6.10", needs: [.bundles], workloads: [.crr, .read], references: [.read],
            summary: "receives bundles: as many buffers of one request each as have arrived"
        ) { $0.bundles = true },
        classic("uring-multishot").variant(
            "uring-incremental", kernel: "6.12", needs: [.incrementalBuffers], workloads: [.crr, .read],
            summary: "receives into large buffers that the kernel fills bit by bit (IOU_PBUF_RING_INC)"
        ) { $0.incrementalBuffers = true },
        classic("uring-multishot").variant(
            "uring-bundle-incremental", kernel: "6.12", needs: [.bundles, .incrementalBuffers],
            workloads: [.crr, .read], summary: "receives bundles into large buffers that are filled bit by bit"
        ) {
            $0.bundles = true
            $0.incrementalBuffers = true
        },
    ]
}
