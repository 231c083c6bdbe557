// Two network namespaces joined by a veth pair, with destination NAT between: the ends name other addresses, the streams agree.
import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { EventFlag, EventKind } from '../../src/model/event.js';
import { CAPTURES } from '../../src/model/segment.js';
import { PYTHON_SERVER } from './http-servers.js';
import {
  describeLive,
  type Endpoint,
  expectSameStream,
  hasTool,
  type LiveEvent,
  ofKind,
  runProgram,
  settle,
  startLines,
  startProgram,
  startRecording,
  stopPrograms,
} from './live.js';

const CLIENT = 'aftertrace-client';
const SERVER = 'aftertrace-server';
const SERVER_ADDRESS = '10.77.0.2';
const SERVER_PORT = 9103;
/** What the client asks for; nobody has that address. */
const SERVICE_ADDRESS = '10.99.0.9';
const SERVICE_PORT = 8099;

const COMMANDS = [
  `ip netns add ${CLIENT}`,
  `ip netns add ${SERVER}`,
  `ip link add at-client netns ${CLIENT} type veth peer name at-server netns ${SERVER}`,
  `ip -n ${CLIENT} addr add 10.77.0.1/24 dev at-client`,
  `ip -n ${SERVER} addr add ${SERVER_ADDRESS}/24 dev at-server`,
  `ip -n ${CLIENT} link set at-client up`,
  `ip -n ${SERVER} link set at-server up`,
  `ip -n ${SERVER} link set lo up`,
  `ip -n ${CLIENT} route add default via ${SERVER_ADDRESS}`,
  `ip netns exec ${CLIENT} nft add table ip nat`,
  `ip netns exec ${CLIENT} nft add chain ip nat output { type nat hook output priority -100 ; }`,
  `ip netns exec ${CLIENT} nft add rule ip nat output ip daddr ${SERVICE_ADDRESS} tcp dport ${SERVICE_PORT} dnat to ${SERVER_ADDRESS}:${SERVER_PORT}`,
];

function run(line: string): string {
  const [command, ...args] = line.split(' ');
  const { status, stderr, error } = spawnSync(command!, args, { encoding: 'utf8' });
  return status === 0 ? '' : `${line}: ${error?.message ?? stderr.trim()}`;
}

function removeNamespaces(): void {
  for (const name of [CLIENT, SERVER]) run(`ip netns del ${name}`);
}

describeLive('network namespaces', () => {
  if (!['ip', 'nft'].every(hasTool)) {
    it.skip('needs ip and nft', () => {});
    return;
  }
  beforeAll(() => {
    removeNamespaces();
    const problems = COMMANDS.map(run).filter((problem) => problem !== '');
    expect(problems).toEqual([]);
  });
  afterEach(stopPrograms);
  afterAll(removeNamespaces);

  const endAt = (events: readonly LiveEvent[], found: (event: LiveEvent) => boolean): Endpoint => {
    const described = events.find((event) => event.kind === EventKind.connection && found(event))!;
    const { connection } = described;
    return { connection, described, events: events.filter((one) => one.connection === connection) };
  };

  it.each(CAPTURES)('agree on the stream through veth and NAT (%s)', async (capture) => {
    const server = PYTHON_SERVER(SERVER_PORT).replace('127.0.0.1', SERVER_ADDRESS);
    await startProgram('ip', ['netns', 'exec', SERVER, 'python3', '-c', server]);
    const recording = startRecording({ ports: [SERVER_PORT, SERVICE_PORT], capture });
    const url = `http://${SERVICE_ADDRESS}:${SERVICE_PORT}/through-nat`;
    await runProgram('ip', ['netns', 'exec', CLIENT, 'curl', '-sS', '--noproxy', '*', url]);
    await settle();
    const events = await recording.finish();
    const client = endAt(events, ({ remotePort }) => remotePort === SERVICE_PORT);
    const served = endAt(events, ({ localPort }) => localPort === SERVER_PORT);
    expect(client.described).toMatchObject({
      localAddress: '10.77.0.1',
      remoteAddress: SERVICE_ADDRESS,
      flags: EventFlag.active,
    });
    expect(served.described).toMatchObject({
      localAddress: SERVER_ADDRESS,
      remoteAddress: '10.77.0.1',
      flags: EventFlag.passive,
    });
    expect(client.described.netns).not.toBe(served.described.netns);
    for (const calls of [ofKind(client, EventKind.send), ofKind(served, EventKind.receive)])
      expect(startLines(calls)).toEqual(['GET /through-nat HTTP/1.1']);
    // What joins the hop: the same sequence numbers at both ends, in both directions.
    expectSameStream(client, served);
    expectSameStream(served, client);
  });
});
