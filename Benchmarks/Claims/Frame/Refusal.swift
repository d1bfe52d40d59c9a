import LinuxDescriptors
import Meters
import SystemPackage

/// The errors by which a kernel refuses something to this user or at these limits. They are no failure of an
/// experiment.
private let refusals: KeyValuePairs<Errno, @Sendable () -> String> = [
    .tooManyOpenFiles: { "descriptors ran out (EMFILE), the limit is \(descriptorLimit()): raise it with ulimit -n" },
    .tooManyOpenFilesInSystem: { "descriptors of the whole machine ran out (ENFILE): see sysctl fs.file-max" },
    .resourceTemporarilyUnavailable: {
        "a thread or a process was refused (EAGAIN): raise the limit with ulimit -u, or pids.max of the control group"
    },
    .noMemory: { "memory ran out (ENOMEM): see ulimit -l, ulimit -v and the control group's memory.max" },
    .noBufferSpace: { "memory for sockets ran out (ENOBUFS)" },
    .notPermitted: { "this user may not (EPERM): run as root, outside of a container's filter" },
    .permissionDenied: { "this user may not (EACCES): run as root, outside of a container's filter" },
    .noFunction: { "this kernel, or a filter, does not have the system call (ENOSYS)" },
    .networkUnreachable: { "there is no way to the loopback interface (ENETUNREACH): ip link set lo up" },
    .addressNotAvailable: { "no port or address is left on loopback (EADDRNOTAVAIL)" },
]

/// What is missing here if an error says so; nil if the error is a failure.
func refusal(_ error: any Error) -> String? {
    if let error = error as? Errno { return refusals.first { $0.key == error }?.value() }
    guard let error = error as? RunError else { return nil }
    return refusal(ofReason: error.description)
}

/// The same for the reason of a run, which holds an error's meaning or its symbol, alone or in a tally. The first in
/// the text counts: a tally begins with the most frequent.
func refusal(ofReason reason: String) -> String? {
    let known = refusals.compactMap { error, text in place(of: error, in: reason).map { (place: $0, text: text) } }
    return known.min { $0.place < $1.place }.map { "\($0.text()) — \(reason)" }
}

private func place(of error: Errno, in reason: String) -> String.Index? {
    let words = reason.split { !$0.isLetter && !$0.isNumber }
    let symbol = words.first { $0 == errorName(error) }?.startIndex
    return [symbol, reason.firstRange(of: "\(error)")?.lowerBound].compactMap(\.self).min()
}

func descriptorLimit() -> Int { (try? DescriptorLimit.raise()).map { Int(clamping: $0.soft) } ?? 1024 }

/// Why so many more descriptors cannot be opened; nil if they can.
func descriptorShortage(_ count: Int) -> String? {
    let (needed, limit) = (openDescriptors() + count, descriptorLimit())
    guard needed > limit else { return nil }
    let rounded = (needed + 99) / 100 * 100
    return "needs \(grouped(needed)) descriptors, the limit is \(grouped(limit)): ulimit -n \(rounded)"
}

func grouped(_ number: Int) -> String {
    number < 1000 ? "\(number)" : grouped(number / 1000) + " " + "\(1000 + number % 1000)".suffix(3)
}
