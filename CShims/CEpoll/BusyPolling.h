/* How a set polls the queues of network devices: EPIOCSPARAMS and EPIOCGPARAMS, Linux 6.9. <sys/ioctl.h> would make this
   module the owner of what it includes. */

/* struct epoll_params */
struct c_epoll_params {
    uint32_t duration_us;
    uint16_t budget;
    uint8_t is_preferred, padding;
};

static inline int c_epoll_set_params(int epfd, const struct c_epoll_params *params) {
    return (int)syscall(SYS_ioctl, epfd, 0x40088a01UL, params);
}

static inline int c_epoll_get_params(int epfd, struct c_epoll_params *params) {
    return (int)syscall(SYS_ioctl, epfd, 0x80088a02UL, params);
}
