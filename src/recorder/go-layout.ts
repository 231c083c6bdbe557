/**
 * Where the Go runtime keeps what the kernel programs read: offsets in bytes, as `struct go_layout`
 * of `bpf/events.h` names them. g_parent is 0 before Go 1.21.
 */
export interface GoLayout {
  readonly tls: number;
  readonly g_m: number;
  readonly g_goid: number;
  readonly g_parent: number;
  readonly g_startpc: number;
  readonly m_curg: number;
  readonly m_p: number;
  readonly m_oldp: number;
  readonly p_id: number;
  readonly p_schedtick: number;
  readonly hchan_recvq: number;
  readonly sudog_g: number;
}
