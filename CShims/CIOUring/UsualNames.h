/* Takes back what OwnNames.h defines, so that nobody who includes us sees it, and lets Swift write io_uring_sqe all the
   same. A name that this liburing lacks stands for nothing. */
#undef io_cqring_offsets
#undef io_sqring_offsets
#undef io_timespec
#undef io_uring_attr_pi
#undef io_uring_bpf
#undef io_uring_bpf_ctx
#undef io_uring_bpf_filter
#undef io_uring_buf
#undef io_uring_buf_reg
#undef io_uring_buf_ring
#undef io_uring_buf_status
#undef io_uring_clock_register
#undef io_uring_clone_buffers
#undef io_uring_cqe
#undef io_uring_cqwait_reg_arg
#undef io_uring_file_index_range
#undef io_uring_files_update
#undef io_uring_getevents_arg
#undef io_uring_mem_region_reg
#undef io_uring_msg_ring_flags
#undef io_uring_napi
#undef io_uring_napi_op
#undef io_uring_napi_tracking_strategy
#undef io_uring_notification_register
#undef io_uring_notification_slot
#undef io_uring_op
#undef io_uring_params
#undef io_uring_probe
#undef io_uring_probe_op
#undef io_uring_query_hdr
#undef io_uring_query_opcode
#undef io_uring_query_scq
#undef io_uring_query_zcrx
#undef io_uring_recvmsg_out
#undef io_uring_reg_wait
#undef io_uring_region_desc
#undef io_uring_register_op
#undef io_uring_register_pbuf_ring_flags
#undef io_uring_register_restriction_op
#undef io_uring_restriction
#undef io_uring_rsrc_register
#undef io_uring_rsrc_update
#undef io_uring_rsrc_update2
#undef io_uring_socket_op
#undef io_uring_sqe
#undef io_uring_sqe_flags_bit
#undef io_uring_sync_cancel_reg
#undef io_uring_task_restriction
#undef io_uring_zcrx_area_flags
#undef io_uring_zcrx_area_reg
#undef io_uring_zcrx_cqe
#undef io_uring_zcrx_ifq_reg
#undef io_uring_zcrx_offsets
#undef io_uring_zcrx_rqe
#undef io_wq_type
#undef zcrx_ctrl
#undef zcrx_ctrl_add_area
#undef zcrx_ctrl_arm_event
#undef zcrx_ctrl_export
#undef zcrx_ctrl_flush_rq
#undef zcrx_ctrl_op
#undef zcrx_event_desc
#undef zcrx_event_desc_flags
#undef zcrx_event_type
#undef zcrx_features
#undef zcrx_reg_flags
#undef zcrx_stats

typedef struct c_io_cqring_offsets io_cqring_offsets;
typedef struct c_io_sqring_offsets io_sqring_offsets;
typedef struct c_io_timespec io_timespec;
typedef struct c_io_uring_attr_pi io_uring_attr_pi;
typedef struct c_io_uring_bpf io_uring_bpf;
typedef struct c_io_uring_bpf_ctx io_uring_bpf_ctx;
typedef struct c_io_uring_bpf_filter io_uring_bpf_filter;
typedef struct c_io_uring_buf io_uring_buf;
typedef struct c_io_uring_buf_reg io_uring_buf_reg;
typedef struct c_io_uring_buf_ring io_uring_buf_ring;
typedef struct c_io_uring_buf_status io_uring_buf_status;
typedef struct c_io_uring_clock_register io_uring_clock_register;
typedef struct c_io_uring_cqe io_uring_cqe;
typedef struct c_io_uring_cqwait_reg_arg io_uring_cqwait_reg_arg;
typedef struct c_io_uring_file_index_range io_uring_file_index_range;
typedef struct c_io_uring_files_update io_uring_files_update;
typedef struct c_io_uring_getevents_arg io_uring_getevents_arg;
typedef struct c_io_uring_mem_region_reg io_uring_mem_region_reg;
typedef struct c_io_uring_napi io_uring_napi;
typedef struct c_io_uring_notification_register io_uring_notification_register;
typedef struct c_io_uring_notification_slot io_uring_notification_slot;
typedef struct c_io_uring_params io_uring_params;
typedef struct c_io_uring_probe io_uring_probe;
typedef struct c_io_uring_probe_op io_uring_probe_op;
typedef struct c_io_uring_query_hdr io_uring_query_hdr;
typedef struct c_io_uring_query_opcode io_uring_query_opcode;
typedef struct c_io_uring_query_scq io_uring_query_scq;
typedef struct c_io_uring_query_zcrx io_uring_query_zcrx;
typedef struct c_io_uring_recvmsg_out io_uring_recvmsg_out;
typedef struct c_io_uring_reg_wait io_uring_reg_wait;
typedef struct c_io_uring_region_desc io_uring_region_desc;
typedef struct c_io_uring_restriction io_uring_restriction;
typedef struct c_io_uring_rsrc_register io_uring_rsrc_register;
typedef struct c_io_uring_rsrc_update io_uring_rsrc_update;
typedef struct c_io_uring_rsrc_update2 io_uring_rsrc_update2;
typedef struct c_io_uring_sqe io_uring_sqe;
typedef struct c_io_uring_sync_cancel_reg io_uring_sync_cancel_reg;
typedef struct c_io_uring_task_restriction io_uring_task_restriction;
typedef struct c_io_uring_zcrx_area_reg io_uring_zcrx_area_reg;
typedef struct c_io_uring_zcrx_cqe io_uring_zcrx_cqe;
typedef struct c_io_uring_zcrx_ifq_reg io_uring_zcrx_ifq_reg;
typedef struct c_io_uring_zcrx_offsets io_uring_zcrx_offsets;
typedef struct c_io_uring_zcrx_rqe io_uring_zcrx_rqe;
typedef struct c_zcrx_ctrl zcrx_ctrl;
typedef struct c_zcrx_ctrl_add_area zcrx_ctrl_add_area;
typedef struct c_zcrx_ctrl_arm_event zcrx_ctrl_arm_event;
typedef struct c_zcrx_ctrl_export zcrx_ctrl_export;
typedef struct c_zcrx_ctrl_flush_rq zcrx_ctrl_flush_rq;
typedef struct c_zcrx_event_desc zcrx_event_desc;
typedef struct c_zcrx_stats zcrx_stats;
typedef enum c_io_uring_op io_uring_op;
