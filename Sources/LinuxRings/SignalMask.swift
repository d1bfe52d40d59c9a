import CIOUring
import Glibc

extension Ring {
    /// The signals that a thread blocks during a wait, in place of those that it blocks otherwise (`sigprocmask(2)`).
    ///
    /// Make it before the loop: this asks about each of the 64 signals.
    @frozen public struct SignalMask: Sendable, Hashable {
        /// Bit n - 1 stands for signal n, as the kernel has it.
        public let bits: UInt64

        /// Takes the signals as the kernel has them.
        public init(bits: UInt64) { self.bits = bits }

        /// A mask of these signals, by their numbers (`signal(7)`): `[SIGTERM, SIGINT]`.
        public init(blocking signals: Set<CInt>) { self.init(signals) }

        /// A mask of these signals, such as a `SignalSet` of `LinuxReadiness`.
        public init(blocking signals: some SetAlgebra<CInt>) { self.init(signals) }

        /// What the calling thread blocks now, without these.
        public static func ofThread(except open: Set<CInt>) -> SignalMask {
            SignalMask(bits: bitsOfThread & ~SignalMask(open).bits)
        }

        /// What the calling thread blocks now, without these.
        public static func ofThread(except open: some SetAlgebra<CInt>) -> SignalMask {
            SignalMask(bits: bitsOfThread & ~SignalMask(open).bits)
        }

        private init(_ signals: some SetAlgebra<CInt>) {
            bits = (1...64).reduce(0) { signals.contains($1) ? $0 | 1 << UInt64($1 - 1) : $0 }
        }

        private static var bitsOfThread: UInt64 {
            var blocked = sigset_t()
            // It fails for a first argument that does not exist.
            _ = unsafe pthread_sigmask(SIG_BLOCK, nil, &blocked)
            return unsafe withUnsafeBytes(of: blocked) { unsafe $0.loadUnaligned(as: UInt64.self) }
        }

        /// The C library's set is the kernel's with room for more.
        var native: sigset_t {
            var native = sigset_t()
            unsafe withUnsafeMutableBytes(of: &native) { unsafe $0.storeBytes(of: bits, as: UInt64.self) }
            return native
        }
    }
}
