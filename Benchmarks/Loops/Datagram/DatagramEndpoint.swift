package import LinuxSockets

/// A worker's datagram socket, which the server owns and the worker uses.
package final class DatagramEndpoint: Sendable {
    package let socket: DatagramSocket

    package init(_ socket: consuming DatagramSocket) { self.socket = socket }
}
