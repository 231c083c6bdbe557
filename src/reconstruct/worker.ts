/**
 * The worker side of the pool: one exported function per task name of tasks.ts
 * (Piscina calls a named export of its worker file).
 */

import { adopt as adoptTask } from './adopt.js';
import { findCauses } from './causality/causality.js';
import { decode as decodeTask } from './decode/decode.js';
import { shard as shardTask } from './shard.js';
import { sortHints } from './sort-hints.js';
import type { TaskName, Tasks } from './tasks.js';

type Handler<K extends TaskName> = (input: Tasks[K]['in']) => Promise<Tasks[K]['out']>;

export const shard: Handler<'shard'> = shardTask;
export const decode: Handler<'decode'> = decodeTask;
export const adopt: Handler<'adopt'> = adoptTask;
export const sort: Handler<'sort'> = sortHints;
export const causality: Handler<'causality'> = findCauses;
