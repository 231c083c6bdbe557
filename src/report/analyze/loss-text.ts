import { LossFlag } from '../../model/exchange.js';

const TEXT: Readonly<Record<keyof typeof LossFlag, string>> = {
  truncated: 'the head is longer than what was kept of it',
  gap: 'bytes of the stream are missing in the recording',
  startUnseen: 'the recording began in the middle of it',
  responseUnseen: 'no response was recorded',
  endUnseen: 'the end of the response was not recorded',
  reset: 'the connection was reset or failed',
  malformed: 'the head could not be understood in full',
  peerUnseen: 'the other end of the hop was not recorded',
  unsampled: 'the recorder left the rest out to keep its budget',
};

/** LossFlag bits in words; '' if none is set. */
export function describeLoss(flags: number): string {
  return (Object.keys(LossFlag) as (keyof typeof LossFlag)[])
    .filter((name) => (flags & LossFlag[name]) !== 0)
    .map((name) => TEXT[name])
    .join('; ');
}
