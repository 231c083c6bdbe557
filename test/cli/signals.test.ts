// A recorder that obeys signals: the configuration is read again, statistics are told, a second recorder is refused.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeLive } from '../bpf/live.js';
import { segmentPaths } from '../recorder/read-rows.js';
import { useTemporaryDirectories } from '../store/temporary.js';
import { runCli, startCli } from './run-cli.js';

const temporaryDirectory = useTemporaryDirectories();

describeLive('signals', () => {
  it('re-reads its settings and rotates on SIGHUP, tells statistics on SIGUSR1', async () => {
    const directory = temporaryDirectory();
    const out = join(directory, 'segments');
    const config = join(directory, 'aftertrace.toml');
    writeFileSync(config, `out = "${out}"\nport = 1\nstats-interval = "1h"\n`);
    const { child, result, says } = startCli(['record', '--config', config]);
    await says('recording to');
    child.kill('SIGUSR1');
    await says('lost nothing');
    writeFileSync(config, `out = "${out}"\nport = 2\nstats-interval = "100ms"\n`);
    child.kill('SIGHUP');
    await says('configuration read again, segment rotated');
    await says('--port: changes only with a new start');
    await says('closed ');
    writeFileSync(config, `out = "${out}"\nmax-age = "soon"\n`);
    child.kill('SIGHUP');
    await says('configuration not changed');
    child.kill('SIGTERM');
    const { code, stderr } = await result;
    expect(code).toBe(143);
    // The new interval held from the first SIGHUP on.
    expect(stderr.match(/ events \(/g)!.length).toBeGreaterThan(2);
    expect(segmentPaths(out).length).toBeGreaterThanOrEqual(3);
  });

  it('refuses a second recorder of one directory, and leaves the first alone', async () => {
    const out = temporaryDirectory();
    const first = startCli(['record', '--out', out, '--port', '1']);
    await first.says('recording to');
    const second = await runCli(['record', '--out', out, '--port', '1']);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`is in use by the recorder with pid ${first.child.pid}`);
    expect(readFileSync(join(out, '.aftertrace.lock'), 'utf8')).toMatch(`${first.child.pid} `);
    first.child.kill('SIGINT');
    expect((await first.result).code).toBe(130);
  });
});
