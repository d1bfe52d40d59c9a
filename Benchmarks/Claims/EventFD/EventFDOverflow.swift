import LinuxReadiness
import SystemPackage

/// A full counter: it is filled to 2^64 - 2; one more is added, then the value that no counter may hold.
let eventFDOverflow = Experiment(
    id: "eventfd-overflow", statement: "a write past 2^64 - 2 fails with EAGAIN, a write of 2^64 - 1 with EINVAL",
    source: .manual("eventfd(2)"), keys: ["add", "add_maximum", "value"],
    observe: {
        let counter = try EventFD()
        try counter.add(EventFD.maximum)
        let one = try counter.add(1) ? "ok" : "EAGAIN"
        let maximum = outcome { () throws(Errno) in try counter.add(.max) }
        let value = try counter.take() ?? 0
        return ["add": one, "add_maximum": maximum, "value": value]
    },
    judge: { observed in
        let isRefused = observed["add"] == "EAGAIN" && observed["add_maximum"] == "EINVAL"
        return .init(holds: isRefused && observed["value"] == EventFD.maximum.observed)
    },
    explain: { "A full counter answers \($0["add"]), the forbidden value gets \($0["add_maximum"])." })
