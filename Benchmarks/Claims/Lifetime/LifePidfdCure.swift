import CBenchExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// The ghost of the fork scenario, ended by the parent: it fetches the child's descriptor (pidfd\_open(2),
/// pidfd\_getfd(2)), which brings the old description back under the number for EPOLL\_CTL\_DEL.
let lifePidfdCure = Experiment(
    id: "life-pidfd-cure", statement: "only a new set helps; here tried: fetch the child's descriptor, dup2, DEL",
    source: .l, keys: ["events_after"],
    observe: {
        var scene = try ForkScene()
        try scene.oldSocketConnects()
        let number = scene.newSocket.descriptor
        let process = try required("pidfd_open") { c_pidfd_open(scene.child.process) }
        let pidfd = process.descriptor.rawValue
        let fetched = try required("pidfd_getfd") { c_pidfd_getfd(pidfd, number.rawValue) }
        let removal = try removeByNumber(number, of: fetched.descriptor, from: scene.epoll)
        let events = try scene.ghosts()
        try scene.newSocketConnects()
        let newEvents = try scene.epoll.eventfulWaits(token: ForkScene.newToken)
        scene.end()
        try fetched.close()
        try process.close()
        return ["events_after": events, "del": removal, "new_events": newEvents]
    },
    judge: ghostPersists, explain: ghostFinding("fetching the description from the child and EPOLL_CTL_DEL"))

private func required(_ name: String, _ call: () -> CInt) throws -> OwnedDescriptor {
    let number = call()
    guard number >= 0 else {
        throw Unobservable("\(name): \(Errno(rawValue: errno)); it needs Linux 5.6 and leave to trace the child")
    }
    return owned(number)
}
