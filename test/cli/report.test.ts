import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { useTemporaryDirectories } from '../store/temporary.js';
import { runCli } from './run-cli.js';

const SHOP = fileURLToPath(new URL('../../fixtures/segments/shop/segments', import.meta.url));
const temporaryDirectory = useTemporaryDirectories();

describe('aftertrace report', () => {
  let out = '';
  beforeAll(async () => {
    const { mkdtempSync } = await import('node:fs');
    const { tmpdir } = await import('node:os');
    out = join(mkdtempSync(join(tmpdir(), 'aftertrace-cli-report-')), 'out');
    const { code } = await runCli(['reconstruct', SHOP, '--out', out]);
    expect(code).toBe(0);
  });

  test('writes both reports beside the reconstruction, for their owner only', async () => {
    const { code, stdout } = await runCli(['report', out]);
    expect(code).toBe(0);
    expect(stdout).toContain('The candidate is payment: the incident begins there.\n');
    for (const name of ['report.html', 'report.md']) {
      expect(statSync(join(out, name)).mode & 0o777).toBe(0o600);
    }
  });

  test('exits with 4 when it finds what --fail-on asks for', async () => {
    expect((await runCli(['report', out, '--fail-on', 'incident'])).code).toBe(4);
  });

  test('writes Markdown to stdout, and nothing else there', async () => {
    const { code, stdout } = await runCli(['report', out, '--markdown', '-']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^# Incident report, /);
    expect(stdout).not.toContain('wrote ');
  });

  test('replaces a named file only when told to', async () => {
    const html = join(temporaryDirectory(), 'mine.html');
    writeFileSync(html, 'mine');
    const refused = await runCli(['report', out, '--html', html]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`${html}: exists already.`);
    expect(readFileSync(html, 'utf8')).toBe('mine');
    expect((await runCli(['report', out, '--html', html, '--force'])).code).toBe(0);
    expect(readFileSync(html, 'utf8')).toContain('<!doctype html>');
  });

  test('refuses a window beside the recording, and names the recording’s own', async () => {
    const window = '2020-01-01T00:00:00Z..2020-01-02T00:00:00Z';
    for (const flag of ['--incident', '--baseline']) {
      const { code, stderr } = await runCli(['report', out, flag, window]);
      expect(code).toBe(2);
      expect(stderr).toContain(`${flag}: lies outside the recording, 2026-11-24 `);
    }
  });

  test('says what to do where there is no reconstruction', async () => {
    const empty = join(temporaryDirectory(), 'empty');
    mkdirSync(empty);
    const { code, stdout, stderr } = await runCli(['report', empty]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('holds no finished reconstruction');
    expect(stderr).toContain('aftertrace reconstruct');
  });
});
