#ifndef C_SOCKET_EXTRAS_H
#define C_SOCKET_EXTRAS_H

#include <errno.h>
#include <features.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc hides these behind _GNU_SOURCE, which Swift's Glibc module does not define. */
#ifndef __USE_GNU
extern int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
extern int dup3(int descriptor, int number, int flags);
extern int pipe2(int descriptors[2], int flags);
extern int unshare(int flags);
#endif

static const int C_CLONE_FILES = 0x00000400;

/* Younger than some headers; the numbers are those of x86 and ARM. */
static const int C_SO_BUSY_POLL = 46;        /* Linux 3.11 */
static const int C_SO_INCOMING_NAPI_ID = 56; /* Linux 4.12 */
static const int C_SO_PREFER_BUSY_POLL = 69; /* Linux 5.11 */
static const int C_SO_BUSY_POLL_BUDGET = 70; /* Linux 5.11 */

/* close_range(2) is older in the kernel (5.9) than in glibc (2.34). The number is that of every architecture Swift runs
   on. */
static inline int c_close_range(unsigned first, unsigned last, unsigned flags) {
    return (int)syscall(436, first, last, flags);
}

static const unsigned C_CLOSE_RANGE_UNSHARE = 2;

/* struct mmsghdr, which glibc hides in the same way: a message, and how long it was. */
struct c_mmsghdr {
    struct msghdr message;
    unsigned length;
};

/* recvmmsg(2), Linux 2.6.33, without its timeout, which is looked at between messages only. */
static inline int c_recvmmsg(int socket, struct c_mmsghdr *messages, unsigned count, int flags) {
    return (int)syscall(SYS_recvmmsg, socket, messages, count, flags, (void *)0);
}

/* sendmmsg(2), Linux 3.0. */
static inline int c_sendmmsg(int socket, struct c_mmsghdr *messages, unsigned count, int flags) {
    return (int)syscall(SYS_sendmmsg, socket, messages, count, flags);
}

/* UDP_SEGMENT (Linux 4.18) and UDP_GRO (Linux 5.0) of udp(7), which some C libraries' headers lack. */
static const int C_SOL_UDP = 17;
static const int C_UDP_SEGMENT = 103;
static const int C_UDP_GRO = 104;

/* Room for control data, of which the size of a segment takes 24 bytes. */
struct c_control { _Alignas(struct cmsghdr) char bytes[128]; };

/* How long the datagrams are that UDP_GRO has put together; 0 of one that came alone. */
static inline int c_segment_bytes(struct msghdr *message) {
    int bytes = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part))
        if (part->cmsg_level == C_SOL_UDP && part->cmsg_type == C_UDP_GRO) memcpy(&bytes, CMSG_DATA(part), sizeof bytes);
    return bytes;
}

/* Has a message sent as datagrams of so many bytes, the last of what is left. */
static inline void c_set_segment_bytes(struct msghdr *message, struct c_control *control, uint16_t bytes) {
    struct cmsghdr *part = (struct cmsghdr *)control->bytes;
    part->cmsg_level = C_SOL_UDP;
    part->cmsg_type = C_UDP_SEGMENT;
    part->cmsg_len = CMSG_LEN(sizeof bytes);
    memcpy(CMSG_DATA(part), &bytes, sizeof bytes);
    message->msg_control = control->bytes;
    message->msg_controllen = CMSG_SPACE(sizeof bytes);
}

/* bpf(2) has no glibc wrapper, and union bpf_attr is made of anonymous structs that Swift cannot name. */
static inline int c_bpf_create_array(unsigned value_bytes, unsigned count) {
    union bpf_attr attr = {
        .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = value_bytes, .max_entries = count};
    return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr);
}

/* An array of 64-bit numbers that a program adds to and mmap(2) shows (BPF_F_MMAPABLE, Linux 5.5). */
static inline int c_bpf_create_mapped_array(unsigned count) {
    union bpf_attr attr = {
        .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = count, .map_flags = 1U << 10};
    return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr);
}

/* A hash table of 32-bit keys. */
static inline int c_bpf_create_table(unsigned value_bytes, unsigned count) {
    union bpf_attr attr = {
        .map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = value_bytes, .max_entries = count};
    return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr);
}

static inline int c_bpf_look_up(int map, unsigned key, void *value) {
    union bpf_attr attr = {.map_fd = (unsigned)map, .key = (unsigned long)&key, .value = (unsigned long)value};
    return (int)syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof attr);
}

/* A BPF_MAP_TYPE_REUSEPORT_SOCKARRAY (Linux 4.19). */
static inline int c_bpf_create_socket_array(unsigned count) {
    union bpf_attr attr = {
        .map_type = BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, .key_size = 4, .value_size = 4, .max_entries = count};
    return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr);
}

static inline int c_bpf_update(int map, unsigned key, const void *value) {
    union bpf_attr attr = {.map_fd = (unsigned)map, .key = (unsigned long)&key, .value = (unsigned long)value};
    return (int)syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof attr);
}

/* EEXIST where the key is there already. */
static inline int c_bpf_add(int map, unsigned key, const void *value) {
    union bpf_attr attr = {
        .map_fd = (unsigned)map, .key = (unsigned long)&key, .value = (unsigned long)value, .flags = BPF_NOEXIST};
    return (int)syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof attr);
}

/* Replaces a key by the one behind it, or by the first. */
static inline int c_bpf_next_key(int map, int is_first, unsigned *key) {
    unsigned last = *key;
    union bpf_attr attr = {
        .map_fd = (unsigned)map, .key = is_first ? 0 : (unsigned long)&last, .next_key = (unsigned long)key};
    return (int)syscall(SYS_bpf, BPF_MAP_GET_NEXT_KEY, &attr, sizeof attr);
}

static inline int c_bpf_delete(int map, unsigned key) {
    union bpf_attr attr = {.map_fd = (unsigned)map, .key = (unsigned long)&key};
    return (int)syscall(SYS_bpf, BPF_MAP_DELETE_ELEM, &attr, sizeof attr);
}

/* Runs a program at a tracepoint until the descriptor is closed (Linux 4.17). */
static inline int c_bpf_open_raw_tracepoint(const char *name, int program) {
    union bpf_attr attr = {.raw_tracepoint = {.name = (unsigned long)name, .prog_fd = (unsigned)program}};
    return (int)syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof attr);
}

/* BPF_SK_REUSEPORT_SELECT_OR_MIGRATE, which headers have from Linux 5.14 on. */
static const unsigned C_BPF_SELECT_OR_MIGRATE = 40;

/* The verifier gives up with EAGAIN while a signal, or the end of a ring, waits for the thread. */
static inline int c_bpf_load(unsigned type, unsigned attach_type, const void *instructions, unsigned count) {
    union bpf_attr attr = {
        .prog_type = type,
        .expected_attach_type = attach_type,
        .insns = (unsigned long)instructions,
        .insn_cnt = count,
        .license = (unsigned long)"Apache-2.0",
    };
    int number, attempts = 0;
    do number = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
    while (number < 0 && errno == EAGAIN && ++attempts < 20);
    return number;
}

#endif
