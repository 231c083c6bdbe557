/** System calls that move bytes of sockets, by process.arch and number (arch/x86/entry/syscalls, asm-generic/unistd.h). */
const CALL_NAMES: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  x64: {
    0: 'read',
    1: 'write',
    19: 'readv',
    20: 'writev',
    40: 'sendfile',
    44: 'sendto',
    45: 'recvfrom',
    46: 'sendmsg',
    47: 'recvmsg',
    275: 'splice',
    299: 'recvmmsg',
    307: 'sendmmsg',
    327: 'preadv2',
    328: 'pwritev2',
    426: 'io_uring_enter',
  },
  arm64: {
    63: 'read',
    64: 'write',
    65: 'readv',
    66: 'writev',
    71: 'sendfile',
    76: 'splice',
    206: 'sendto',
    207: 'recvfrom',
    211: 'sendmsg',
    212: 'recvmsg',
    243: 'recvmmsg',
    269: 'sendmmsg',
    286: 'preadv2',
    287: 'pwritev2',
    426: 'io_uring_enter',
  },
};

/** Stands for calls that came by no system call: the last that is counted (bpf/maps.h). */
const NO_CALL = 511;

export function callName(number: number, arch: string = process.arch): string {
  if (number === NO_CALL) return 'no system call';
  return CALL_NAMES[arch]?.[number] ?? `system call ${number}`;
}
