// Real servers of several runtimes: every head is kept at both ends, at the same sequence numbers.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { EventFlag, EventKind } from '../../src/model/event.js';
import { NGINX, NODE_SERVER, PYTHON_SERVER } from './http-servers.js';
import {
  describeLive,
  endpoints,
  expectSameStream,
  freePort,
  hasTool,
  type LiveEvent,
  ofKind,
  runProgram,
  settle,
  startLines,
  startProgram,
  startRecording,
  startServer,
  stopPrograms,
} from './live.js';

const NODE_CLIENT = (port: number, count: number, connections: number) => `
  const http = require('http');
  const agent = new http.Agent({ keepAlive: true, maxSockets: ${connections} });
  let left = ${count};
  for (let i = 0; i < ${count}; i++) {
    http.get({ port: ${port}, host: '127.0.0.1', path: '/' + i, agent }, (response) => {
      response.resume().on('end', () => { if (--left === 0) agent.destroy(); });
    });
  }`;

const GO_SERVER = `package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("hello")) })
	listener, _ := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	fmt.Println("ready")
	http.Serve(listener, nil)
}
`;

const JAVA_SERVER = `
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
public class Server {
  public static void main(String[] args) throws Exception {
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 0);
    server.createContext("/", exchange -> {
      byte[] body = "hello".getBytes();
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
    server.start();
    System.out.println("ready");
  }
}
`;

const REQUESTS = 20;

async function requests(port: number): Promise<void> {
  const urls = Array.from({ length: REQUESTS }, (_, i) => `http://127.0.0.1:${port}/item-${i}`);
  await runProgram('curl', ['-sS', '--noproxy', '*', ...urls]);
}

/** The one keep-alive connection of `requests`, checked at both ends. */
function expectRequests(events: LiveEvent[], port: number): LiveEvent[] {
  const pairs = endpoints(events, port);
  expect(pairs).toHaveLength(1);
  const { client, server } = pairs[0]!;
  expectSameStream(client, server);
  expectSameStream(server, client);
  const lines = Array.from({ length: REQUESTS }, (_, i) => `GET /item-${i} HTTP/1.1`);
  const received = ofKind(server, EventKind.receive);
  expect(startLines(ofKind(client, EventKind.send))).toEqual(lines);
  expect(startLines(received)).toEqual(lines);
  for (const calls of [ofKind(server, EventKind.send), ofKind(client, EventKind.receive)]) {
    const responses = startLines(calls);
    expect(responses).toHaveLength(REQUESTS);
    for (const line of responses) expect(line).toMatch(/^HTTP\/1\.1 200/);
  }
  return received;
}

describeLive('servers', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'aftertrace-test-'));
  });
  afterEach(stopPrograms);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  async function recordRequests(port: number, also: number[] = []): Promise<LiveEvent[]> {
    const recording = startRecording({ ports: [port, ...also] });
    await requests(port);
    await settle();
    return recording.finish();
  }

  it('records Node with keep-alive', async () => {
    const port = await freePort();
    await startProgram('node', ['-e', NODE_SERVER(port)]);
    const received = expectRequests(await recordRequests(port), port);
    expect(received.every((call) => !(call.flags & EventFlag.opaque))).toBe(true);
  });

  it('records threaded Python, which writes head and body in two calls', async () => {
    const port = await freePort();
    await startProgram('python3', ['-c', PYTHON_SERVER(port)]);
    const events = await recordRequests(port);
    expectRequests(events, port);
    const sent = ofKind(endpoints(events, port)[0]!.server, EventKind.send);
    expect(sent).toHaveLength(2 * REQUESTS);
    const bodies = sent.filter((call) => !(call.flags & EventFlag.head));
    for (const body of bodies) expect(body).toMatchObject({ bytes: 5, payload: '' });
  });

  it('loses no head of 4000 requests over 64 connections at once', async () => {
    const port = await freePort();
    await startProgram('node', ['-e', NODE_SERVER(port)]);
    const recording = startRecording({ ports: [port], ringBytes: 16 << 20 });
    await runProgram('node', ['-e', NODE_CLIENT(port, 4000, 64)]);
    await settle();
    const events = await recording.finish();
    const pairs = endpoints(events, port);
    expect(pairs).toHaveLength(64);
    const asked: string[] = [];
    for (const { client, server } of pairs) {
      expectSameStream(client, server);
      expectSameStream(server, client);
      const lines = startLines(ofKind(client, EventKind.send));
      expect(startLines(ofKind(server, EventKind.receive))).toEqual(lines);
      expect(startLines(ofKind(server, EventKind.send))).toHaveLength(lines.length);
      expect(startLines(ofKind(client, EventKind.receive))).toHaveLength(lines.length);
      asked.push(...lines);
    }
    expect(new Set(asked).size).toBe(4000);
    for (const count of Object.values(recording.source.stats().dropped)) expect(count).toBe(0);
  });

  it.runIf(hasTool('nginx'))('records an nginx proxy and what is behind it', async () => {
    const port = await freePort();
    const upstream = await freePort();
    const config = join(directory, 'nginx.conf');
    writeFileSync(config, NGINX(port, upstream, directory));
    await startProgram('node', ['-e', NODE_SERVER(upstream)]);
    await startServer('nginx', ['-c', config], port);
    const recording = startRecording({ ports: [port, upstream] });
    await requests(port);
    await settle();
    const events = await recording.finish();
    expectRequests(events, port);
    // The upstream connection was opened before: the start-up pass describes both its ends.
    const behind = endpoints(events, upstream);
    expect(behind).toHaveLength(1);
    expect(behind[0]!.client.described.flags & EventFlag.snapshot).toBeTruthy();
    expectSameStream(behind[0]!.client, behind[0]!.server);
    expect(startLines(ofKind(behind[0]!.client, EventKind.send))).toHaveLength(REQUESTS);
  });

  it.runIf(hasTool('go'))('records Go, which may read one byte ahead of a request', async () => {
    const port = await freePort();
    const program = join(directory, 'server.go');
    const binary = join(directory, 'go-server');
    writeFileSync(program, GO_SERVER);
    await runProgram('go', ['build', '-o', binary, program]);
    await startProgram(binary, [String(port)]);
    expectRequests(await recordRequests(port), port);
  });

  it.runIf(hasTool('java'))('records Java', async () => {
    const port = await freePort();
    const program = join(directory, 'Server.java');
    writeFileSync(program, JAVA_SERVER);
    await startProgram('java', ['-Dsun.net.httpserver.nodelay=true', program, String(port)]);
    expectRequests(await recordRequests(port), port);
  });
});
