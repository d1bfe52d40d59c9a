import CBenchExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// A ghost that lives in a child, ended by the parent.
///
/// 1. The fork scenario up to the ghost.
/// 2. The parent fetches the child's descriptor: pidfd\_open(2), pidfd\_getfd(2).
/// 3. It keeps the new socket aside, puts the old description back under the number, removes it by EPOLL\_CTL\_DEL, and
///    puts the new socket back. The new socket's registration is not touched: its description never ended.
extension Experiment {
    static let lifePidfdCure = Experiment(
        id: "life-pidfd-cure", statement: "only a new set helps; here tried: fetch the child's descriptor, dup2, DEL",
        source: .l, keys: ["events_after"],
        observe: {
            var scene = try ForkScene()
            try scene.oldSocketConnects()
            let number = scene.newSocket.descriptor
            let process = try required("pidfd_open") { c_pidfd_open(scene.child.process) }
            let pidfd = process.descriptor.rawValue
            let fetched = try required("pidfd_getfd") { c_pidfd_getfd(pidfd, number.rawValue) }
            let aside = try scene.newSocket.duplicate()
            let (old, new) = (fetched.descriptor.rawValue, aside.descriptor.rawValue)
            _ = try systemCall { dup2(old, number.rawValue) }
            let removal = outcome { () throws(Errno) in try scene.epoll.remove(number) }
            _ = try systemCall { dup2(new, number.rawValue) }
            let events = try scene.ghosts()
            try scene.newSocketConnects()
            let newEvents = try scene.epoll.eventfulWaits(token: ForkScene.newToken)
            scene.end()
            try aside.close()
            try fetched.close()
            try process.close()
            return ["events_after": events, "del": removal, "new_events": newEvents]
        },
        judge: ghostPersists, explain: ghostFinding("fetching the description from the child and EPOLL_CTL_DEL"))
}

private func required(_ name: String, _ call: () -> CInt) throws -> OwnedDescriptor {
    let number = call()
    guard number >= 0 else {
        throw Unobservable("\(name): \(Errno(rawValue: errno)); it needs Linux 5.6 and leave to trace the child")
    }
    return owned(number)
}
