// The life of processes and threads.
import { afterEach, expect, it } from 'vitest';
import { EventKind } from '../../src/model/event.js';
import { describeLive, runProgram, settle, startRecording, stopPrograms } from './live.js';

describeLive('processes', () => {
  afterEach(stopPrograms);

  it('records fork, exec and exit of processes and threads, but not its own', async () => {
    const recording = startRecording({});
    const printed = await runProgram('python3', [
      '-c',
      `
import os, subprocess, threading
ids = [os.getpid()]
thread = threading.Thread(target=lambda: ids.append(threading.get_native_id()))
thread.start()
thread.join()
child = subprocess.Popen(['true'])
child.wait()
print(*ids, child.pid)`,
    ]);
    await settle();
    const events = await recording.finish();
    const [python, thread, child] = printed.trim().split(' ').map(Number);
    const life = (tid: number | undefined) =>
      events.filter((event) => event.tid === tid && event.kind >= EventKind.fork);
    expect(life(thread)).toMatchObject([
      { kind: EventKind.fork, pid: python, parent: python, connection: 0n },
      { kind: EventKind.exit, pid: python },
    ]);
    expect(life(child)).toMatchObject([
      { kind: EventKind.fork, pid: child, parent: python },
      { kind: EventKind.exec, pid: child, name: 'true' },
      { kind: EventKind.exit, pid: child, name: 'true' },
    ]);
    expect(life(python).map((event) => event.kind)).toContain(EventKind.exec);
    expect(events.filter((event) => event.pid === process.pid)).toEqual([]);
  });

  it('stamps events with the wall clock', async () => {
    const before = BigInt(Date.now()) * 1_000_000n;
    const recording = startRecording({});
    await runProgram('true', []);
    await settle();
    const events = await recording.finish();
    const after = BigInt(Date.now() + 1) * 1_000_000n;
    expect(events.length).toBeGreaterThan(0);
    for (const event of events) {
      expect(event.timeNs).toBeGreaterThan(before - 1_000_000n);
      expect(event.timeNs).toBeLessThan(after + 1_000_000n);
    }
  });
});
