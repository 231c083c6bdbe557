import { describe, expect, it } from 'vitest';
import { EVENT_COLUMNS } from '../src/model/batch.js';
import { CodedError } from '../src/model/errors.js';
import { EventFlag, EventKind } from '../src/model/event.js';
import { type NativeLayout, nativeLayout } from '../src/recorder/native-source.js';
import { CAPTURE_LIMITS } from '../src/recorder/source.js';

/** Needs the addon, but neither privileges nor BTF. */
function layoutOrReason(): NativeLayout | string {
  try {
    return nativeLayout();
  } catch (error) {
    if (error instanceof CodedError) return error.message;
    throw error;
  }
}

const layout = layoutOrReason();
if (typeof layout === 'string') console.warn(`SKIPPED: layout of events.h: ${layout}`);

const suite = typeof layout === 'string' ? describe.skip : describe;

/** EVENT_PEER_CLOSED -> peerClosed */
function camelCase(constant: string, prefix: string): string {
  return constant
    .slice(prefix.length)
    .toLowerCase()
    .replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

function withPrefix(constants: Readonly<Record<string, number>>, prefix: string) {
  return Object.entries(constants)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => [camelCase(name, prefix), value]);
}

suite('events.h against TypeScript', () => {
  const { constants, structs, columns } = layout as NativeLayout;

  it('numbers flags alike', () => {
    expect(Object.fromEntries(withPrefix(constants, 'EVENT_FLAG_'))).toEqual(EventFlag);
  });

  it('numbers the kinds of the kernel alike', () => {
    const others = ['flag', 'payload', 'name', 'path', 'turn'];
    const kinds = withPrefix(constants, 'EVENT_').filter(
      ([name]) => !others.some((other) => String(name).startsWith(other)),
    );
    const fromKernel = Object.entries(EventKind).filter(([, kind]) => kind < 16);
    expect(Object.fromEntries(kinds)).toEqual(Object.fromEntries(fromKernel));
  });

  it('delivers the columns of a batch, in order and by type', () => {
    const expected = Object.entries(EVENT_COLUMNS).map(([name, { type }]) => ({ name, type }));
    expect(columns).toEqual(expected);
  });

  it('bounds the snap length alike', () => {
    expect(constants.EVENT_PAYLOAD_MAX).toBe(CAPTURE_LIMITS.snaplen);
  });

  it('lays records out as the contract says', () => {
    expect(structs).toEqual({
      event_header: {
        size: 32,
        fields: { time_ns: 0, connection: 8, tgid: 16, tid: 20, kind: 24, flags: 26, size: 28 },
      },
      event_io: { size: 48, fields: { sequence: 32, peer_sequence: 36, bytes: 40, offset: 44 } },
      event_connection: {
        size: 104,
        fields: {
          local_address: 32,
          remote_address: 48,
          local_port: 64,
          remote_port: 66,
          netns: 68,
          cgroup: 72,
          sequence: 80,
          peer_sequence: 84,
          error: 88,
          peer: 96,
        },
      },
      event_unix: {
        size: 328,
        fields: {
          connection: 0,
          local_length: 104,
          remote_length: 106,
          local_path: 112,
          remote_path: 220,
        },
      },
      event_hints: {
        size: 24,
        fields: { goroutine: 0, caller: 4, creator: 8, slice: 12, lease_tid: 16, lease_age: 20 },
      },
      event_wake: {
        size: 48,
        fields: { wakee: 32, call: 36, wait_call: 38, wait_word: 40 },
      },
      event_process: { size: 56, fields: { parent: 32, parent_tgid: 36, name: 40 } },
    });
  });
});
