import CBenchExtras
import CSocketExtras
import LinuxDescriptors
import LinuxSockets
import SystemPackage

/// Runs a program at a tracepoint while it exists.
final class BPFLink: Sendable {
    private let descriptor: OwnedDescriptor

    /// With the arguments that the kernel's code has there.
    init(raw tracepoint: String, _ code: [BPFInstruction]) throws(Errno) {
        let program = try OwnedDescriptor.program(BPF_PROG_TYPE_RAW_TRACEPOINT, code)
        descriptor = try .ofCall { unsafe c_bpf_open_raw_tracepoint(tracepoint, program.descriptor.rawValue) }
    }

    /// With what the tracepoint tells, whose fields are where the kernel says, and so in every version of it.
    ///
    /// - Parameter code: takes where the fields begin.
    init(
        _ tracepoint: String, _ fields: [String], in tracefs: borrowing TraceFS, _ code: ([Int16]) -> [BPFInstruction]
    ) throws(Errno) {
        let program = try OwnedDescriptor.program(
            BPF_PROG_TYPE_TRACEPOINT, code(try tracefs.offsets(of: fields, in: tracepoint)))
        let number = try tracefs.number(of: tracepoint)
        descriptor = try .ofCall { c_perf_run_program(number, program.descriptor.rawValue) }
    }
}
