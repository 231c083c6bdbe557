import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../model/errors.js';
import type { ProcessRecord } from '../model/process.js';
import type { Reconstruction } from '../model/reconstruction.js';
import { TOOL } from '../model/tool.js';
import { readCatalog } from '../store/catalog.js';
import { prepareOutput, writeReconstruction } from '../store/span-store.js';
import { type Assembled, assemble } from './assemble/assemble.js';
import { groupsFor, makePlan, type Plan } from './plan.js';
import { type Executor, openPool } from './pool.js';
import { buildProcesses } from './processes.js';
import { countLinks, summarizeServices } from './summary.js';
import type { DecodeOutput, ShardOutput } from './tasks.js';

export interface ReconstructOptions {
  /** Directories of segments, or segment files. */
  readonly inputs: readonly string[];
  /** Where spans.parquet, traces.parquet, links.parquet and reconstruction.json go. */
  readonly output: string;
  /** Replace a reconstruction that is already there. */
  readonly force?: boolean;
  /** Worker threads; default all processors. */
  readonly workers?: number;
  /** Only events in [fromNs, toNs), epoch ns. */
  readonly fromNs?: bigint;
  readonly toNs?: bigint;
  /** Least probability of an inferred link, 0..1. */
  readonly minConfidence: number;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** `done` of `total` tasks of the stage that `what` names are finished. */
export interface Progress {
  readonly what: 'reading segments' | 'decoding' | 'finding causes' | 'assembling';
  readonly done: number;
  readonly total: number;
}

interface Run {
  readonly options: ReconstructOptions;
  readonly plan: Plan;
  readonly executor: Executor;
  /** Scratch directory for the files between stages. */
  readonly scratch: string;
}

/** Runs one task per input, reporting each that ends; results keep the order of the inputs. */
async function runStage<I, O>(
  run: Run,
  what: Progress['what'],
  inputs: readonly I[],
  task: (input: I, index: number) => Promise<O>,
): Promise<O[]> {
  const total = inputs.length;
  let done = 0;
  run.options.onProgress?.({ what, done, total });
  return Promise.all(
    inputs.map(async (input, index) => {
      const output = await task(input, index);
      run.options.onProgress?.({ what, done: ++done, total });
      return output;
    }),
  );
}

function shardAll(run: Run): Promise<ShardOutput[]> {
  const { fromNs, toNs } = run.options;
  return runStage(run, 'reading segments', run.plan.segments, (segment, index) =>
    run.executor.run('shard', {
      segment: segment.path,
      host: segment.hostIndex,
      directory: join(run.scratch, 'shards', String(index)),
      partitions: run.plan.partitions,
      ...(fromNs === undefined ? {} : { fromNs: fromNs.toString() }),
      ...(toNs === undefined ? {} : { toNs: toNs.toString() }),
    }),
  );
}

function findProcesses(run: Run, shards: readonly ShardOutput[]): ProcessRecord[] {
  const perHost = run.plan.hosts.map((_, host) => {
    const outputs = shards.filter((_, i) => run.plan.segments[i]!.hostIndex === host);
    return {
      events: outputs.flatMap((output) => output.processEvents),
      pids: new Set(outputs.flatMap((output) => output.pids)),
    };
  });
  return buildProcesses(perHost, run.plan.baseNs);
}

function decodeAll(
  run: Run,
  shards: readonly ShardOutput[],
  processes: readonly ProcessRecord[],
  groups: number,
): Promise<DecodeOutput[]> {
  const partitions = Array.from({ length: run.plan.partitions }, (_, i) => i);
  return runStage(run, 'decoding', partitions, (partition) =>
    run.executor.run('decode', {
      shards: shards.flatMap(({ files }, i) => {
        const file = files[partition];
        return file === undefined ? [] : [{ file, host: run.plan.segments[i]!.hostIndex }];
      }),
      hosts: run.plan.hosts,
      processes,
      baseNs: run.plan.baseNs.toString(),
      directory: join(run.scratch, 'exchanges', String(partition)),
      groups,
    }),
  );
}

async function findAllCauses(run: Run, decoded: readonly DecodeOutput[], groups: number) {
  const numbers = Array.from({ length: groups }, (_, i) => i);
  return runStage(run, 'finding causes', numbers, async (group) => {
    const exchanges = decoded.flatMap(({ files }) => files[group] ?? []);
    const output = join(run.scratch, `causes-${group}.arrow`);
    const { minConfidence } = run.options;
    const { file, models } = await run.executor.run('causality', {
      exchanges,
      output,
      minConfidence,
    });
    return { exchanges, causes: file, models };
  });
}

function describe(
  run: Run,
  unreadable: Reconstruction['unreadable'],
  shards: readonly ShardOutput[],
  decoded: readonly DecodeOutput[],
  assembled: Assembled,
  services: Reconstruction['services'],
): Reconstruction {
  const sum = (value: (output: DecodeOutput) => number) =>
    decoded.reduce((total, output) => total + value(output), 0);
  const { fromNs: askedFrom = run.plan.baseNs, toNs: askedTo } = run.options;
  const last = shards.map(({ summary }) => BigInt(summary.toNs)).reduce((a, b) => (a > b ? a : b));
  const fromNs = askedFrom > run.plan.baseNs ? askedFrom : run.plan.baseNs;
  const toNs = askedTo !== undefined && askedTo < last ? askedTo : last;
  return {
    version: 1,
    tool: TOOL,
    fromNs: fromNs.toString(),
    toNs: toNs.toString(),
    segments: shards.map(({ summary }) => summary),
    unreadable,
    losses: shards.flatMap(({ losses }) => losses),
    counts: {
      events: shards.reduce((total, { summary }) => total + summary.rows, 0),
      connections: sum((output) => output.connections),
      opaqueConnections: sum((output) => output.opaqueConnections),
      clientExchanges: sum((output) => output.clientExchanges),
      serverExchanges: sum((output) => output.serverExchanges),
      hops: assembled.hops,
      unmatched: assembled.unmatched,
      traces: assembled.traces.rows,
    },
    links: countLinks(assembled.spans),
    services,
    skews: assembled.skews,
  };
}

async function execute(
  run: Run,
  unreadable: Reconstruction['unreadable'],
): Promise<Reconstruction> {
  const { plan, options } = run;
  const shards = await shardAll(run);
  const processes = findProcesses(run, shards);
  const groups = groupsFor(processes.length);
  const decoded = await decodeAll(run, shards, processes, groups);
  const causes = await findAllCauses(run, decoded, groups);
  options.onProgress?.({ what: 'assembling', done: 0, total: 1 });
  const { hosts, baseNs } = plan;
  const assembled = await assemble({ groups: causes, hosts, processes, baseNs });
  const hostNames = hosts.map(({ host }) => host);
  const models = causes.flatMap((group) => group.models);
  const services = summarizeServices(assembled.spans, processes, hostNames, models);
  const reconstruction = describe(run, unreadable, shards, decoded, assembled, services);
  options.signal?.throwIfAborted();
  const { spans, traces, links } = assembled;
  await writeReconstruction(options.output, { spans, traces, links, reconstruction });
  options.onProgress?.({ what: 'assembling', done: 1, total: 1 });
  return reconstruction;
}

/**
 * Rebuilds exchanges, hops, causality and traces from segments, and writes them to
 * `options.output`. The same input gives the same bytes, whatever the number of workers.
 *
 * @throws CodedError INPUT when nothing is readable, OUTPUT when the output is not
 *   writable or already holds a reconstruction
 */
export async function reconstruct(options: ReconstructOptions): Promise<Reconstruction> {
  const catalog = await readCatalog([...options.inputs]);
  const [unreadable] = catalog.unreadable;
  if (catalog.segments.length === 0 && unreadable !== undefined) {
    throw new CodedError('INPUT', unreadable.reason, unreadable.file);
  }
  const plan = makePlan(catalog.segments);
  await prepareOutput(options.output, options.force ?? false);
  const scratch = await mkdtemp(join(options.output, '.scratch-'));
  const executor = openPool(options.workers, options.signal);
  try {
    return await execute({ options, plan, executor, scratch }, catalog.unreadable);
  } finally {
    await executor.close();
    await rm(scratch, { recursive: true, force: true });
  }
}
