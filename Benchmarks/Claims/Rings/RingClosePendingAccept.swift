import LinuxSockets
import SystemPackage

/// What closing a listener means while a multishot accept on it is pending in a ring: three clients try to connect, and
/// another listener tries to take the same port.
///
/// `completions` counts the connections that the ring accepted after the close.
let ringClosePendingAccept = Experiment(
    id: "uring-close-pending-accept",
    statement: "closing a listener ends listening, a multishot accept that is pending on it notwithstanding",
    source: .expectation, needs: [.multishotAccept], keys: ["connects", "port_free"],
    observe: {
        var scene = try ClosedListener()
        let connects = countConnects(to: scene.address)
        let listening = outcome { () throws(Errno) in _ = try Listener(scene.address) }
        let completions = try scene.takeUntilQuiet()
        return [
            "connects": connects, "port_free": listening == "ok", "completions": completions,
            "listen": listening,
        ]
    },
    judge: { .init(holds: $0["connects"] == 0 && $0["port_free"] == true) },
    explain: {
        "After the close \($0["connects"]) of 3 clients connect, and the port is "
            + ($0["port_free"] == true ? "free." : "taken: the pending request keeps the listener open.")
    })
