import Load
import Loops
import Meters
import Runs

/// The names that identity columns and the options of the same names can have, as the program lists them.
let namesInOrder: [String: [String]] = [
    "workload": names(Workload.self), "mode": Mode.every.map(\.name), "topology": names(Topology.self),
    "listener": names(ListenerSharing.self), "implementation": names(Implementation.self) + ["external"],
    "rearm": [""] + names(Rearm.self), "signal": names(WakeSignal.self),
    "descriptors": names(TaskDescriptors.self), "shape": names(WakeShape.self), "spacing": names(LoadPlan.Spacing.self),
    "close": names(CloseStyle.self), "service": names(ServiceTime.Work.self),
    "protocol": names(WireProtocol.self),
    "placement": ["same-cpu", "different-cpus", "unpinned"],
]

func names<Choice: CaseIterable & RawRepresentable<String>>(_: Choice.Type) -> [String] {
    Choice.allCases.map(\.rawValue)
}
