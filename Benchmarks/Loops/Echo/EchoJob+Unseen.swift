import Glibc
import LinuxReadiness
import Meters
import SystemPackage

/// Jobs that reply with other calls than `send(2)`.
extension EchoJob {
    func runUnseen(
        _ listeners: [CInt], _ own: [CInt], _ member: WorkerTeam.Member, _ worker: inout EchoWorker
    ) throws(Errno) {
        let set = try set(listeners, own)
        let events = EpollEventBuffer(capacity: 64)
        // These calls raise it of a connection that is gone, and know no MSG_NOSIGNAL.
        SignalSet([SIGPIPE]).block()
        if plan.loop.mode.mechanism == .sendfile {
            let file = try ReplyFile(format.replies)
            member.gate.arriveAndWait()
            return try answerFromFile(set.epoll, events, plan.loop.mode.capabilities, file, &worker)
        }
        if plan.loop.mode.mechanism == .vmsplice {
            var lending = try Lending(room: worker.capacity)
            member.gate.arriveAndWait()
            return try echoFromWhereItIs(set.epoll, events, plan.loop.mode.capabilities, &lending, &worker)
        }
        var pipe = try SplicePipe(bytes: worker.capacity)
        member.gate.arriveAndWait()
        try echoBySplicing(set.epoll, events, plan.loop.mode.capabilities, &pipe, &worker)
    }
}
