extension Column {
    /// Of runs over a network, and of several hosts.
    static let network: [Column] = [
        Column(
            "server_machine_id", \.serverMachineId, isIdentity: true,
            "Over a network: the machine of the server, as `machine_id` names the one of `bench`; empty where it is the same "
                + "process's or its child."),
        Column(
            "client_machine_ids", \.clientMachineIds,
            "Over a network: the machines of the clients, separated by `;`; empty otherwise."),
        Column(
            "server_address", \.serverAddress, "Over a network: where the server listened; empty otherwise."),
        Column(
            "link", \.link, isIdentity: true,
            "Over a network: the interface by which the clients' machine reaches the server, as "
                + "`eth0;driver=virtio_net;mtu=1500;speed=10000;queues=2/2;offloads=tso,gso,gro` (MTU in bytes, speed in Mbit/s, "
                + "queues for receiving and sending); what is not known is left out. Empty otherwise."),
        Column(
            "load_hosts", \.loadHosts, isIdentity: true,
            "Hosts that loaded the server together, `clients` threads each; empty where `bench` itself loaded it."),
        Column(
            "load_skew_ns", \.loadSkewNs, unit: "ns",
            "With `load_hosts`: the time from the first one's beginning to the last one's. A run is void where it is above 1 % "
                + "of the window."),
        Column(
            "clock_error_ns", \.clockErrorNs, unit: "ns",
            "With `load_hosts`: by how much their times can be wrong: half of the shortest of eight round trips, of the host "
                + "where it is longest."),
        Column(
            "retransmissions_per_op", \.retransmissionsPerOp, unit: "1/op",
            "Segments of TCP that the clients' host sent again in the window, whoever's they were; empty without TCP."),
        Column(
            "network_drops", \.networkDrops,
            "Packets that the clients' host dropped in the window: at the interface of the load, before the protocols, and at sockets "
                + "whose buffers were full, whoever's they were; `warnings` says where. Empty without a network."),
        Column(
            "latency_client_p50_ns", \.latencyClientP50Ns, unit: "ns",
            "With `timestamps` in `options`: median of the latency's last part, from when the client's kernel had the reply to "
                + "when the client had read it."),
        Column(
            "latency_client_p99_ns", \.latencyClientP99Ns, unit: "ns", "Its 99th percentile."),
        Column(
            "latency_until_arrival_p50_ns", \.latencyUntilArrivalP50Ns, unit: "ns",
            "The same of the first part, from the start to when the client's kernel had the reply: the client's sending, "
                + "network and server."),
        Column(
            "latency_until_arrival_p99_ns", \.latencyUntilArrivalP99Ns, unit: "ns", "Its 99th percentile."),
        Column(
            "probe_rate_per_s", \.probeRatePerS, unit: "1/s", isIdentity: true,
            "Operations a second of a probe of its own, whose latencies alone are taken; empty without one."),
    ]
}
