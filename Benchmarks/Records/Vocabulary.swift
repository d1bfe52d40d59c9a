/// What one operation of a workload is called.
package struct OperationName {
    package var short: String
    package var singular: String
    package var plural: String

    private static let names = [
        "accept": OperationName(short: "conn", singular: "connection", plural: "connections"),
        "crr": OperationName(short: "txn", singular: "transaction", plural: "transactions"),
        "read": OperationName(short: "msg", singular: "message", plural: "messages"),
        "datagram": OperationName(short: "dgram", singular: "datagram", plural: "datagrams"),
        "wake": OperationName(short: "sig", singular: "signal", plural: "signals"),
    ]

    /// The names for a workload; those of an `operation` for one that is not known.
    package static func of(workload: String) -> OperationName {
        names[workload] ?? OperationName(short: "op", singular: "operation", plural: "operations")
    }
}
