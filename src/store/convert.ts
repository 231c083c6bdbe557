import { unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Batch, EVENT_COLUMNS } from '../model/batch.js';
import { CodedError, type ErrorCode } from '../model/errors.js';
import { siblingModule } from '../model/sibling-module.js';
import { concatTables, takeRows } from '../model/tables.js';
import { readFrame } from './arrow-file.js';
import { END_OF_STREAM, type Frame, type FrameIndex } from './arrow-frames.js';
import { arrowSchema } from './arrow-schema.js';
import { DurableFile, syncDirectory } from './durable-file.js';
import { FrameEncoder, schemaFrame } from './frame-encoder.js';
import { ioError, isErrno } from './io-error.js';
import { ROW_GROUP_ROWS } from './parquet-engine.js';
import { writeParquetStream } from './parquet-stream.js';
import { indexPart } from './part-file.js';
import { RandomFile } from './random-file.js';
import { storageOrder } from './row-order.js';
import { closedPath } from './segment-name.js';

/** Frames are sorted and handed to the engine in runs of about this size, which bounds memory. */
const RUN_BYTES = 8 * 1024 * 1024;

/** Cuts the frames into runs of up to a row group's rows or {@link RUN_BYTES}. */
function* runsOf(frames: readonly Frame[]): Generator<readonly Frame[]> {
  let run: Frame[] = [];
  let rows = 0;
  for (const frame of frames) {
    const isFull =
      rows + frame.rows > ROW_GROUP_ROWS || frame.end - (run[0] ?? frame).offset > RUN_BYTES;
    if (isFull && run.length > 0) {
      yield run;
      run = [];
      rows = 0;
    }
    run.push(frame);
    rows += frame.rows;
  }
  if (run.length > 0) yield run;
}

/** The segment as streams of one run each, its rows in {@link storageOrder}. */
function* streamsOf(file: RandomFile, index: FrameIndex): Generator<Uint8Array> {
  const schema = schemaFrame(arrowSchema(EVENT_COLUMNS, Object.fromEntries(index.schema.metadata)));
  if (index.frames.length === 0) yield Buffer.concat([schema, END_OF_STREAM]);
  const names = Object.keys(EVENT_COLUMNS);
  const encoder = new FrameEncoder(EVENT_COLUMNS);
  for (const run of runsOf(index.frames)) {
    const batches = run.map(
      (frame) => readFrame(file, index.schema, frame, 'a batch', EVENT_COLUMNS, names) as Batch,
    );
    const batch = concatTables(EVENT_COLUMNS, batches);
    const sorted = takeRows(EVENT_COLUMNS, batch, storageOrder(batch));
    yield Buffer.concat([schema, ...encoder.encode(sorted), END_OF_STREAM]);
  }
}

/**
 * Turns an open segment into a closed one: `<name>.part` (Arrow stream, cut at its last
 * whole batch) -> `<name>.parquet`, then removes the `.part`. Doing it again after a
 * crash at any point gives the same file. Memory is bounded by a few row groups.
 *
 * @returns path of the closed segment
 * @throws CodedError INPUT if the segment cannot be read, OUTPUT if the new one cannot
 *   be written; the `.part` is then still there
 */
export async function convertSegment(partPath: string): Promise<string> {
  const file = new RandomFile(partPath);
  const target = closedPath(partPath);
  try {
    const index = indexPart(file);
    const out = new DurableFile(target);
    try {
      await writeParquetStream(out, {
        specs: EVENT_COLUMNS,
        metadata: index.schema.metadata,
        profile: 'compact',
        parts: streamsOf(file, index),
      });
      out.commit();
    } catch (cause) {
      out.abandon();
      throw ioError('INPUT', partPath, 'convert the segment', cause);
    }
  } finally {
    file.close();
  }
  removePart(partPath);
  return target;
}

function removePart(partPath: string): void {
  try {
    unlinkSync(partPath);
    syncDirectory(dirname(partPath));
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT')) throw ioError('OUTPUT', partPath, 'remove', cause);
  }
}

/** Messages between the converter and its thread. */
export interface ConvertRequest {
  readonly id: number;
  readonly partPath: string;
}
export interface ConvertReply {
  readonly id: number;
  /** Path of the closed segment, or why there is none. */
  readonly result: { readonly path: string } | { readonly error: ErrorFields };
  /** Memory of the thread's WebAssembly, which only grows. */
  readonly memory: number;
}
/** A CodedError as plain data: classes do not survive a message. */
export interface ErrorFields {
  readonly code: ErrorCode;
  readonly message: string;
  readonly place: string;
  readonly remedy: string;
}

interface Pending {
  readonly resolve: (path: string) => void;
  readonly reject: (error: Error) => void;
}

/** A thread with more WebAssembly memory than this is replaced when it is idle. */
const RECYCLE_BYTES = 512 * 1024 * 1024;

/**
 * {@link convertSegment} in one worker thread of low priority, one segment after the
 * other, so that the thread that drains the ring never waits for it. The thread starts
 * with the first segment and does not keep the process alive when idle.
 */
export class SegmentConverter {
  #worker: Worker | undefined;
  #nextId = 0;
  readonly #pending = new Map<number, Pending>();
  readonly #inWork = new Set<Promise<string>>();

  /** @throws CodedError as {@link convertSegment} */
  convert(partPath: string): Promise<string> {
    const worker = this.#start();
    const id = this.#nextId++;
    const result = new Promise<string>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
    });
    const done = () => this.#inWork.delete(result);
    this.#inWork.add(result);
    result.then(done, done);
    worker.ref();
    worker.postMessage({ id, partPath } satisfies ConvertRequest);
    return result;
  }

  /** Waits for the segments in work, then ends the thread. */
  async close(): Promise<void> {
    while (this.#inWork.size > 0) await Promise.allSettled(this.#inWork);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const module = siblingModule(import.meta.url, 'convert-worker');
    const worker = new Worker(module.filename, { execArgv: [...module.execArgv] });
    worker.on('message', (reply: ConvertReply) => this.#settle(worker, reply));
    worker.on('error', (error) => this.#fail(worker, error));
    worker.on('exit', (code) => this.#fail(worker, new Error(`exit code ${code}`)));
    this.#worker = worker;
    return worker;
  }

  #settle(worker: Worker, { id, result, memory }: ConvertReply): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (this.#pending.size === 0) {
      worker.unref();
      if (memory > RECYCLE_BYTES) this.#retire(worker);
    }
    if ('path' in result) pending?.resolve(result.path);
    else {
      const { code, message, place, remedy } = result.error;
      pending?.reject(new CodedError(code, message, place, remedy));
    }
  }

  #retire(worker: Worker): void {
    if (this.#worker === worker) this.#worker = undefined;
    void worker.terminate();
  }

  /** The thread died: its segments stay `.part` files, which readers understand. */
  #fail(worker: Worker, cause: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const message = `the conversion thread ended: ${cause.message}.`;
    for (const { reject } of this.#pending.values()) {
      reject(new CodedError('OUTPUT', message, '', 'The open segments stay readable.', cause));
    }
    this.#pending.clear();
  }
}
