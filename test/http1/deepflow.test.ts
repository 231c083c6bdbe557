import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readFlows } from './pcap.js';
import { Scan } from './scan.js';
import { unpackShared } from './shared-data.js';

const { directory, suite } = unpackShared('deepflow-http-pcaps.tar.gz');

interface Messages {
  /** `POST host path` */
  readonly requests: string[];
  readonly responses: number[];
}

/** What DeepFlow's own parser made of a capture: HTTP/1 only. */
function readExpected(file: string): Messages {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.includes('proto: Http1') && line.endsWith('is_http: true'));
  const requests: string[] = [];
  const responses: number[] = [];
  for (const line of lines) {
    const [, method, path, host] =
      /method: (\w+), path: "([^"]*)", host: "([^"]*)"/.exec(line) ?? [];
    const status = /status_code: Some\((\d+)\)/.exec(line)?.[1];
    if (line.includes('msg_type: Request')) {
      requests.push(`${method!.toUpperCase()} ${host} ${path}`);
    } else responses.push(Number(status));
  }
  return { requests, responses };
}

/** What the scanner makes of it. */
function scanCapture(file: string): Messages {
  const heads = readFlows(file).flatMap(
    ({ payloads }) => new Scan().feed(...payloads).close().heads,
  );
  return {
    requests: heads
      .filter(({ kind }) => kind === 'request')
      .map(({ method, authority, target }) => `${method} ${authority} ${target}`),
    responses: heads.filter(({ kind }) => kind === 'response').map(({ status }) => status),
  };
}

suite('the captures of DeepFlow', () => {
  const folder = join(directory, 'agent/resources/test/flow_generator/http');
  const names =
    directory === ''
      ? []
      : readdirSync(folder)
          .filter((name) => name.endsWith('.pcap'))
          .map((name) => name.slice(0, -'.pcap'.length));

  it('are there, with HTTP/1 and with other protocols', () => {
    const counts = names.map((name) => readExpected(join(folder, `${name}.result`)));
    expect(counts.filter(({ requests }) => requests.length > 0)).toHaveLength(4);
    expect(counts.filter(({ requests }) => requests.length === 0)).toHaveLength(8);
  });

  it('give the same requests and responses, and none where they hold HTTP/2 or gRPC', () => {
    for (const name of names) {
      const expected = readExpected(join(folder, `${name}.result`));
      expect([name, scanCapture(join(folder, `${name}.pcap`))]).toEqual([name, expected]);
    }
  });

  it('give whole messages where the connection was captured from its start', () => {
    const extents = readFlows(join(folder, '../http.pcap')).map(({ payloads }) => {
      const scan = new Scan(['GET']).feed(...payloads).close();
      const total = payloads.reduce((sum, { length }) => sum + length, 0);
      return [scan.extents, total];
    });
    expect(extents).toEqual([
      [['0..73'], 73],
      [[`0..${extents[1]![1]}`], extents[1]![1]],
    ]);
  });
});
