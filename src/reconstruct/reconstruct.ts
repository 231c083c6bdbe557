import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../model/errors.js';
import type { ProcessRecord } from '../model/process.js';
import type { Reconstruction } from '../model/reconstruction.js';
import { type Catalog, readCatalog } from '../store/catalog.js';
import { sourcesPath } from '../store/import-files.js';
import { prepareOutput, writeReconstruction } from '../store/span-store.js';
import { type Adopted, importedProcesses } from './adopt.js';
import { assemble } from './assemble/assemble.js';
import { type Chronicle, readChronicle } from './chronicle.js';
import { describe } from './describe.js';
import { groupsFor, makePlan, type Plan } from './plan.js';
import { type Executor, openPool } from './pool.js';
import { buildProcesses } from './processes.js';
import { listEncrypted, sumAudits, summarizeServices } from './summary.js';
import type { DecodeOutput, ShardOutput, SortOutput } from './tasks.js';

export interface ReconstructOptions {
  /** Directories of segments or imports, or files of them. */
  readonly inputs: readonly string[];
  /** Keys for inputs that are encrypted. */
  readonly identities?: readonly string[];
  /** Where spans.parquet, traces.parquet, links.parquet and reconstruction.json go. */
  readonly output: string;
  /** Replace a reconstruction that is already there. */
  readonly force?: boolean;
  /** Worker threads; default all processors. */
  readonly workers?: number;
  /** Only events in [fromNs, toNs), epoch ns. */
  readonly fromNs?: bigint;
  readonly toNs?: bigint;
  /** Least probability of an inferred link, 0..1; default DEFAULT_MIN_CONFIDENCE. */
  readonly minConfidence?: number;
  /** False leaves rare values that requests and calls share aside; default true. */
  readonly tokens?: boolean;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** `done` of `total` tasks of the stage that `what` names are finished. */
export interface Progress {
  readonly what:
    | 'reading segments'
    | 'decoding'
    | 'sorting hints'
    | 'finding causes'
    | 'assembling';
  readonly done: number;
  readonly total: number;
}

interface Run {
  readonly options: ReconstructOptions;
  readonly catalog: Catalog;
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
  return runStage(run, 'reading segments', run.plan.segments, (segment, index) =>
    run.executor.run('shard', {
      segment: segment.path,
      identities: run.options.identities ?? [],
      host: segment.hostIndex,
      directory: join(run.scratch, 'shards', String(index)),
      partitions: run.plan.partitions,
      baseNs: run.plan.baseNs.toString(),
      ...rangeOf(run.options),
    }),
  );
}

/** The range that was asked for, as tasks take it. */
function rangeOf({ fromNs, toNs }: ReconstructOptions): { fromNs?: string; toNs?: string } {
  return {
    ...(fromNs === undefined ? {} : { fromNs: fromNs.toString() }),
    ...(toNs === undefined ? {} : { toNs: toNs.toString() }),
  };
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

function readChronicles({ plan }: Run, shards: readonly ShardOutput[]): Chronicle[] {
  return plan.hosts.map(({ host }, index) =>
    readChronicle(
      host,
      shards.filter((_, i) => plan.segments[i]!.hostIndex === index),
    ),
  );
}

function decodeAll(
  run: Run,
  shards: readonly ShardOutput[],
  processes: readonly ProcessRecord[],
  adopted: readonly Adopted[],
  groups: number,
): Promise<DecodeOutput[]> {
  const { plan, executor, options } = run;
  const baseNs = plan.baseNs.toString();
  const directory = (part: number) => join(run.scratch, 'exchanges', String(part));
  const decode = (partition: number) =>
    executor.run('decode', {
      shards: shards.flatMap(({ files }, i) => {
        const file = files[partition];
        return file === undefined ? [] : [{ file, host: plan.segments[i]!.hostIndex }];
      }),
      hosts: plan.hosts,
      processes,
      baseNs,
      directory: directory(partition),
      groups,
    });
  const adopt = (file: Adopted, i: number) =>
    executor.run('adopt', {
      file: file.path,
      host: file.hostIndex,
      firstProcess: file.firstProcess,
      fileBaseNs: file.baseNs.toString(),
      baseNs,
      ...rangeOf(options),
      directory: directory(plan.partitions + i),
      groups,
    });
  const tasks = [
    ...Array.from({ length: plan.partitions }, (_, partition) => () => decode(partition)),
    ...adopted.map((file, i) => () => adopt(file, i)),
  ];
  return runStage(run, 'decoding', tasks, (task) => task());
}

/** The hints of every segment, split by process group. */
function sortAllHints(
  run: Run,
  shards: readonly ShardOutput[],
  processes: readonly ProcessRecord[],
  groups: number,
): Promise<SortOutput[]> {
  const inputs = shards.flatMap(({ hints: file }, i) =>
    file === undefined ? [] : [{ file, host: run.plan.segments[i]!.hostIndex }],
  );
  return runStage(run, 'sorting hints', inputs, (input, i) =>
    run.executor.run('sort', {
      ...input,
      processes,
      directory: join(run.scratch, 'hints', String(i)),
      groups,
    }),
  );
}

async function findAllCauses(
  run: Run,
  decoded: readonly DecodeOutput[],
  sorted: readonly SortOutput[],
  groups: number,
) {
  const numbers = Array.from({ length: groups }, (_, i) => i);
  return runStage(run, 'finding causes', numbers, async (group) => {
    const exchanges = decoded.flatMap(({ files }) => files[group] ?? []);
    const output = join(run.scratch, `causes-${group}.arrow`);
    const { minConfidence, tokens } = run.options;
    const { file, models, audits } = await run.executor.run('causality', {
      exchanges,
      hints: sorted.flatMap(({ files }) => files[group] ?? []),
      output,
      ...(minConfidence !== undefined && { minConfidence }),
      ...(tokens !== undefined && { tokens }),
    });
    return { exchanges, causes: file, models, audits };
  });
}

async function execute(run: Run): Promise<Reconstruction> {
  const { plan, options, catalog } = run;
  const shards = await shardAll(run);
  const recorded = findProcesses(run, shards);
  const imported = importedProcesses(plan.imports, recorded.length);
  const processes = [...recorded, ...imported.processes];
  const groups = groupsFor(processes.length);
  const decoded = await decodeAll(run, shards, processes, imported.adopted, groups);
  const sorted = await sortAllHints(run, shards, processes, groups);
  const causes = await findAllCauses(run, decoded, sorted, groups);
  options.onProgress?.({ what: 'assembling', done: 0, total: 1 });
  const { hosts, baseNs } = plan;
  const sources = plan.imports.map(({ path }) => sourcesPath(path));
  const chronicles = readChronicles(run, shards);
  const assembled = await assemble({
    groups: causes,
    hosts,
    processes,
    baseNs,
    sources,
    chronicles,
  });
  const hostNames = hosts.map(({ host }) => host);
  const models = causes.flatMap((group) => group.models);
  const services = summarizeServices(assembled.spans, processes, hostNames, models);
  const reconstruction = describe({
    options,
    plan,
    catalog,
    shards,
    chronicles,
    decoded,
    assembled,
    services,
    encrypted: listEncrypted(processes, hostNames),
    audits: sumAudits(
      causes.flatMap((group) => group.audits),
      processes,
      hostNames,
    ),
  });
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
  const catalog = await readCatalog([...options.inputs], options.identities);
  const [unreadable] = catalog.unreadable;
  if (catalog.segments.length + catalog.imports.length === 0 && unreadable !== undefined) {
    throw new CodedError('INPUT', unreadable.reason, unreadable.file);
  }
  const plan = makePlan(catalog.segments, catalog.imports);
  await prepareOutput(options.output, options.force ?? false);
  const scratch = await mkdtemp(join(options.output, '.scratch-'));
  const executor = openPool(options.workers, options.signal);
  try {
    return await execute({ options, catalog, plan, executor, scratch });
  } finally {
    await executor.close();
    await rm(scratch, { recursive: true, force: true });
  }
}
