/// What one operation of a workload is called.
struct OperationName {
    /// In table headings: `conn`.
    var short: String
    /// In sentences: `connection`.
    var singular: String
    /// In sentences: `connections`.
    var plural: String

    private static let names = [
        "accept": OperationName(short: "conn", singular: "connection", plural: "connections"),
        "crr": OperationName(short: "txn", singular: "transaction", plural: "transactions"),
        "read": OperationName(short: "msg", singular: "message", plural: "messages"),
        "wake": OperationName(short: "sig", singular: "signal", plural: "signals"),
    ]

    static func of(workload: String) -> OperationName {
        names[workload] ?? OperationName(short: "op", singular: "operation", plural: "operations")
    }
}
