/// One eBPF instruction, encoded as in the kernel's `bpf_insn` (RFC 9669).
package struct BPFInstruction {
    let code: UInt8
    let registers: UInt8
    let offset: Int16
    let immediate: Int32

    /// Encodes one; the second half of a 64-bit constant is one of its own.
    package init(
        _ code: UInt8, to destination: UInt8 = 0, from source: UInt8 = 0, offset: Int16 = 0, _ immediate: Int32 = 0
    ) {
        self.code = code
        registers = destination | source << 4
        self.offset = offset
        self.immediate = immediate
    }
}
