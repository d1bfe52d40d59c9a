import CBenchExtras
import CEpoll
import CEventFD
import CIOUring
import CSocketExtras
import Foundation
import SystemPackage
import Testing

/// What every other module takes for granted of the C modules. That this file compiles, with all of them beside
/// Foundation and SystemPackage, is half of the test: `CShims/README.md` says what breaks it.
@Suite struct ShimContractTests {
    @Test func epollEventIsPackedAsTheKernelHasIt() {
        #if arch(x86_64)
            #expect(MemoryLayout<epoll_event>.size == 12)
            #expect(MemoryLayout<epoll_event>.alignment == 1)
        #else
            #expect(MemoryLayout<epoll_event>.size == 16)
        #endif
        #expect(EPOLLEXCLUSIVE.rawValue == 1 << 28)
        #expect(EPOLLONESHOT.rawValue == 1 << 30)
        #expect(EPOLLET.rawValue == 1 << 31)
    }

    @Test func eventFDCountsWhatIsWritten() {
        let descriptor = eventfd(3, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK))
        #expect(descriptor >= 0)
        defer { close(descriptor) }
        var count: eventfd_t = 0
        #expect(eventfd_read(descriptor, &count) == 0)
        #expect(count == 3)
        #expect(eventfd_read(descriptor, &count) == -1 && errno == EAGAIN)
    }

    @Test func ringStructuresHaveTheSizesOfTheABI() {
        #expect(MemoryLayout<io_uring_sqe>.size == 64)
        #expect(MemoryLayout<io_uring_cqe>.size == 16)
        #expect(MemoryLayout<io_uring_params>.size == 120)
        #expect(MemoryLayout<io_uring_buf>.size == 16)
        #expect(MemoryLayout<io_uring_buf_reg>.size == 40)
        #expect(MemoryLayout<io_uring_getevents_arg>.size == 24)
        #expect(MemoryLayout<io_uring_sync_cancel_reg>.size == 64)
        #expect(C_IOSQE_FIXED_FILE == 1 << 0)
        #expect(C_IOSQE_IO_LINK == 1 << 2)
        #expect(C_IOSQE_BUFFER_SELECT == 1 << 5)
        #expect(C_IOSQE_CQE_SKIP_SUCCESS == 1 << 6)
        #expect(C_IOSQE_IO_DRAIN == 1 << 1 && C_IOSQE_IO_HARDLINK == 1 << 3 && C_IOSQE_ASYNC == 1 << 4)
    }

    /// swift-system has the kernel's definitions, which may be of another age: under one name they would be an error.
    @Test func ringTypesHaveNamesOfOurOwn() {
        #expect(String(describing: io_uring_sqe.self) == "c_io_uring_sqe")
        #expect(String(describing: io_uring_op.self) == "c_io_uring_op")
    }

    /// The inline functions write where this liburing's structure has the fields.
    @Test func requestIsFilledIn() {
        var entry = io_uring_sqe()
        io_uring_prep_poll_add(&entry, 5, 1)
        io_uring_sqe_set_data64(&entry, 7)
        withUnsafeBytes(of: &entry) { bytes in
            #expect(UInt32(bytes[0]) == IORING_OP_POLL_ADD.rawValue)
            #expect(bytes.loadUnaligned(fromByteOffset: 4, as: Int32.self) == 5)
            #expect(bytes.loadUnaligned(fromByteOffset: 32, as: UInt64.self) == 7)
        }
    }

    @Test func fdSetIsOneTypeForEverybody() {
        var set = fd_set()
        withUnsafeBytes(of: &set) { #expect($0.count == 128) }
    }

    @Test func acceptFourIsCallable() {
        #expect(accept4(-1, nil, nil, CInt(SOCK_CLOEXEC.rawValue)) == -1)
        #expect(errno == EBADF)
    }

    @Test func threadIdentifierIsThatOfATaskOfThisProcess() {
        #expect(FileManager.default.fileExists(atPath: "/proc/self/task/\(c_gettid())"))
    }

    @Test func affinityMaskOfAnyLengthIsFilled() {
        var mask = [UInt](repeating: 0, count: 128)
        #expect(c_get_thread_affinity(&mask, 1024) > 0)
        #expect(mask.contains { $0 != 0 })
    }

    @Test func preciseEpollWaitIsCallable() {
        var event = epoll_event()
        #expect(c_epoll_pwait2(-1, &event, 1, 1) == -1)
        #expect(errno == EBADF || errno == ENOSYS)
    }

    @Test func structuresOfOurOwnAreAsLongAsTheKernels() {
        #expect(MemoryLayout<c_signal_record>.size == 128)
        #expect(MemoryLayout<c_signal_record>.offset(of: \.pointer) == 48)
        #expect(MemoryLayout<c_signal_record>.offset(of: \.call_address) == 88)
        #expect(MemoryLayout<c_timer_setting>.size == 32)
        #expect(MemoryLayout<c_mmsghdr>.stride == MemoryLayout<msghdr>.size + 8)
    }

    /// Beyond the inline functions: liburing itself is linked. The call fails without asking the kernel.
    @Test func liburingIsLinked() {
        var ring = io_uring()
        #expect(io_uring_queue_init(0, &ring, 0) < 0)
    }

    @Test func systemPackageSharesErrnoWithGlibc() {
        #expect(Errno.wouldBlock.rawValue == EAGAIN)
        #expect(Data([1, 2]).count == 2)
    }
}
