import type { TableOf } from './columns.js';

/**
 * What the threads of a process did to each other, between the socket calls: one row per
 * hint event (EventKind wake, loop, post, fork), in order of time within a file.
 */
export const HINT_COLUMNS = {
  pid: { type: 'uint32', doc: 'Process id.' },
  process: { type: 'uint32', doc: 'Index into the plan’s processes; 0 before it is known.' },
  kind: { type: 'uint8', doc: 'EventKind: wake, loop, post or fork.' },
  time: { type: 'float64', doc: 'ns after the reconstruction’s base time.' },
  tid: {
    type: 'uint32',
    doc: 'The thread that woke, that created a thread, that waits for events, or that takes a message.',
  },
  other: {
    type: 'uint32',
    doc: 'wake: the thread that was woken; fork: the new thread; post: the one that posted; else 0.',
  },
  call: { type: 'uint16', doc: 'wake: number of the system call the waker was in.' },
  wait_call: { type: 'uint16', doc: 'wake: number of the system call the wakee was blocked in.' },
  wait_word: {
    type: 'float64',
    doc: 'wake: first argument of that call (futex address, epoll descriptor); post: ns since it was posted.',
  },
} as const;
export type HintTable = TableOf<typeof HINT_COLUMNS>;
