import { CodedError } from '../model/errors.js';
import type { Envelope, Recipients } from './age.js';

/** Keys made ahead: several segments may be opened before the next one is ready. */
const READY = 4;

/** Hands out the beginnings of encrypted files at once; new ones are made meanwhile. */
export class Sealer {
  readonly #recipients: Recipients;
  readonly #ready: Envelope[] = [];
  #refilling = false;

  private constructor(recipients: Recipients) {
    this.#recipients = recipients;
  }

  /** @throws CodedError as Recipients.seal */
  static async open(recipients: Recipients): Promise<Sealer> {
    const sealer = new Sealer(recipients);
    await sealer.#refill();
    return sealer;
  }

  async #refill(): Promise<void> {
    if (this.#refilling) return;
    this.#refilling = true;
    try {
      while (this.#ready.length < READY) this.#ready.push(await this.#recipients.seal());
    } finally {
      this.#refilling = false;
    }
  }

  /** @throws CodedError OUTPUT if none is ready: it will be a moment later */
  take(): Envelope {
    const envelope = this.#ready.shift();
    // The recipients sealed before: they do not fail now.
    void this.#refill();
    if (envelope === undefined) throw new CodedError('OUTPUT', 'no key is ready to encrypt with.');
    return envelope;
  }
}
