import Meters

extension Mode {
    /// Ways of getting more than one datagram by a call.
    static let datagramVariants: [Mode] = [
        classic("epoll-lt").variant(
            "epoll-mmsg", kernel: "3.0", workloads: [.datagram],
            summary: "recvmmsg(2) and sendmmsg(2): as many datagrams as are there by one call, 64 at the most"
        ) { $0.datagramCalls = .batch },
        classic("epoll-lt").variant(
            "epoll-gro", kernel: "5.0", workloads: [.datagram], refusal: KernelTrial.coalescedDatagrams,
            summary: "UDP_GRO and UDP_SEGMENT: datagrams of one sender as one piece of memory"
        ) { $0.datagramCalls = .segments },
    ]
}
