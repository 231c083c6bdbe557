import type { TableOf } from './columns.js';

/**
 * The columns of an event, in wire order: what the addon fills, what a segment
 * stores. This is the one definition; src/store derives the file schema from it,
 * and native/ is compared with it by the layout test.
 */
export const EVENT_COLUMNS = {
  time_ns: {
    type: 'int64',
    encoding: 'delta',
    doc: 'When, in UTC epoch nanoseconds: monotonic kernel time plus the offset in the file metadata. Send: after the call took the bytes; receive: after it gave them.',
  },
  kind: { type: 'uint8', doc: 'What happened: see EventKind.' },
  flags: { type: 'uint16', doc: 'Bit set: see EventFlag.' },
  pid: { type: 'uint32', doc: 'Process id (kernel tgid) in the initial pid namespace.' },
  tid: { type: 'uint32', doc: 'Thread id (kernel pid).' },
  connection: {
    type: 'uint64',
    doc: 'Socket cookie, unique for one boot; 0 where no socket is meant.',
  },
  sequence: {
    type: 'uint32',
    encoding: 'delta',
    doc: 'TCP sequence number of the first byte moved, in its own direction (send: ours, receive: the peer’s). Plaintext of TLS: of the ciphertext; send: no byte of it stands before; receive: up to where it had been received by then.',
  },
  peer_sequence: {
    type: 'uint32',
    encoding: 'delta',
    doc: 'Position of the other direction at that moment. Plaintext of TLS: its plaintext bytes so far.',
  },
  bytes: {
    type: 'uint32',
    doc: 'Bytes moved by the call; 0 on a receive is the end of the stream.',
  },
  error: { type: 'uint16', doc: 'close: positive errno of the socket, 0 if it ended well.' },
  local_port: { type: 'uint16', doc: 'Connection kinds: port of this end.' },
  remote_port: { type: 'uint16', doc: 'Connection kinds: port of the other end.' },
  netns: { type: 'uint32', doc: 'Connection kinds: network namespace (inode number).' },
  cgroup: {
    type: 'uint64',
    doc: 'Connection kinds: cgroup v2 id of the acting process, 0 unknown.',
  },
  parent: { type: 'uint32', doc: 'fork: thread id of the creator; process: parent process id.' },
  count: {
    type: 'uint64',
    doc: 'send, receive of TLS plaintext: plaintext bytes before these in this direction, modulo 2^32; loss: how many records were lost; clock: wall clock in epoch nanoseconds.',
  },
  peer: {
    later: true,
    type: 'uint64',
    doc: 'Connection kinds, Unix sockets: cookie of the socket at the other end; 0 unknown.',
  },
  goroutine: {
    later: true,
    type: 'uint32',
    doc: 'send, receive: goroutine in the call; send: asyncio task, numbered as they are made, or async root of Node; 0 not known.',
  },
  caller: {
    later: true,
    type: 'uint32',
    doc: 'send: goroutine that waits for the answer; task that the others descend from; async root of Node; 0 not known.',
  },
  creator: {
    later: true,
    type: 'uint32',
    doc: 'send: goroutine that started the caller, before Go 1.21 the nearest above it that serves connections; task that made this one; 0 not known.',
  },
  slice: {
    later: true,
    type: 'uint32',
    doc: 'send, receive of Go: P id << 20 | low 20 bits of its schedtick; equal values are one chain of hand-offs.',
  },
  lease_tid: {
    later: true,
    type: 'uint32',
    doc: 'send: thread whose receive last found the socket empty since the last send; Python: that gave a pool the task which sends; 0 none.',
  },
  lease_age: {
    later: true,
    type: 'uint32',
    doc: 'send: ns since then, at most 2^32 - 1; before Go 1.21: since the creator started the caller, or what led to it.',
  },
  wakee: {
    later: true,
    type: 'uint32',
    doc: 'wake: thread that was woken; tid is the waker. post: thread that posted; tid is the taker.',
  },
  call: { later: true, type: 'uint16', doc: 'wake: number of the system call the waker was in.' },
  wait_call: {
    later: true,
    type: 'uint16',
    doc: 'wake: number of the system call the wakee was blocked in.',
  },
  wait_word: {
    later: true,
    type: 'uint64',
    doc: 'wake: first argument of that call (futex address, epoll descriptor). post: ns since the message was posted.',
  },
  local_address: {
    type: 'text',
    nullable: true,
    doc: 'Connection kinds: IP address of this end as text; IPv4-mapped addresses as IPv4.',
  },
  remote_address: {
    type: 'text',
    nullable: true,
    doc: 'Connection kinds: IP address of the other end as text.',
  },
  name: {
    type: 'text',
    nullable: true,
    doc: 'fork, exec, exit, process: task name; loss: cause; budget: step; send, receive of a turn: protocol and operation, e.g. redis GET.',
  },
  detail: {
    type: 'text',
    nullable: true,
    doc: 'process, loss, budget, heartbeat: JSON (ProcessDetail, LossDetail, BudgetDetail, HeartbeatDetail).',
  },
  payload: {
    type: 'binary',
    nullable: true,
    encoding: 'plain',
    doc: 'send, receive: captured head bytes, a prefix of the bytes moved; secrets and bodies masked; the last bytes of a masked secret are its mark.',
  },
} as const;

/** The events of one drain of the ring buffer, or of one row group of a segment. */
export type Batch = TableOf<typeof EVENT_COLUMNS>;
