/** The thread of a SegmentConverter: answers each request in turn. */
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { CodedError } from '../model/errors.js';
import {
  type ConvertReply,
  type ConvertRequest,
  convertSegment,
  type ErrorFields,
} from './convert.js';
import { engineMemory } from './parquet-engine.js';

const LOW_PRIORITY = 10;

function errorFields(error: unknown): ErrorFields {
  if (error instanceof CodedError) {
    const { code, message, place, remedy } = error;
    return { code, message, place, remedy };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'OUTPUT', message, place: '', remedy: '' };
}

async function answer({ id, partPath }: ConvertRequest): Promise<ConvertReply> {
  try {
    const path = await convertSegment(partPath);
    return { id, result: { path }, memory: await engineMemory() };
  } catch (error) {
    return { id, result: { error: errorFields(error) }, memory: await engineMemory() };
  }
}

if (process.platform === 'linux') {
  try {
    // On Linux priority belongs to the thread, and 0 is the calling one.
    setPriority(0, LOW_PRIORITY);
  } catch {
    // Not permitted: the conversion then only runs at the usual priority.
  }
}

let queue: Promise<void> = Promise.resolve();
parentPort?.on('message', (request: ConvertRequest) => {
  queue = queue.then(async () => parentPort?.postMessage(await answer(request)));
});
