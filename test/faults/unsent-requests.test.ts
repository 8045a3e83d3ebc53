import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, describe, expect, test } from 'vitest';
import { isUnsent } from '../../shared/aws-errors.ts';

/** Sends one request to a server, and returns the error of it. */
async function errorOf(endpoint: string, isTls = false): Promise<unknown> {
  const client = new DynamoDBClient({
    endpoint,
    tls: isTls,
    region: 'eu-north-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 300, requestTimeout: 600, throwOnRequestTimeout: true },
  });
  const Key = { pk: { S: 'a' }, sk: { S: 'b' } };
  try {
    return await client.send(new GetItemCommand({ TableName: 'customers', Key }));
  } catch (error) {
    return error;
  } finally {
    client.destroy();
  }
}

/** Starts a server that treats each request as told; returns its address. */
async function serverThat(
  treats: (socket: Socket) => void,
  event: 'request' | 'connection' = 'request',
): Promise<string> {
  const server = createServer();
  if (event === 'request') server.on('request', ({ socket }) => treats(socket));
  else server.on('connection', treats);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Returns the address of a server that does not accept connections, and what ends it. */
async function deafServer() {
  const program = `const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));`;
  const server = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(createInterface(server.stdout), 'line');
  server.kill('SIGSTOP');
  // The kernel completes as many connections as it keeps in line for the program, and then no more.
  const waiting = Array.from({ length: 8 }, () => connect(Number(port), '127.0.0.1'));
  for (const socket of waiting) socket.on('error', () => {});
  await new Promise((resolve) => setTimeout(resolve, 100));
  return {
    endpoint: `http://127.0.0.1:${port}`,
    end: () => {
      for (const socket of waiting) socket.destroy();
      server.kill('SIGKILL');
    },
  };
}

describe('A request is known not to have been sent', () => {
  test.each(['http://127.0.0.1:1', 'http://localhost:1', 'https://127.0.0.1:1'])(
    'if %s refuses the connection',
    async (endpoint) => {
      const error = await errorOf(endpoint, endpoint.startsWith('https'));
      expect(error).toMatchObject({ code: 'ECONNREFUSED' });
      expect(isUnsent(error)).toBe(true);
    },
  );

  test('if the name of the server is not resolved', async () => {
    const error = await errorOf('http://dynamodb.invalid');
    expect(['ENOTFOUND', 'EAI_AGAIN']).toContain((error as { code: string }).code);
    expect(isUnsent(error)).toBe(true);
  });

  test.runIf(process.platform === 'linux')('if no connection is made in time', async () => {
    const { endpoint, end } = await deafServer();
    try {
      const error = await errorOf(endpoint);
      expect(String(error)).toContain('did not establish a connection');
      expect(isUnsent(error)).toBe(true);
    } finally {
      end();
    }
  });
});

describe('A request may have been executed', () => {
  test.each<[string, () => Promise<string>]>([
    ['closes the connection that had it', () => serverThat((socket) => socket.destroy())],
    ['resets the connection that had it', () => serverThat((socket) => socket.resetAndDestroy())],
    ['closes the connection at once', () => serverThat((socket) => socket.destroy(), 'connection')],
    ['does not respond', () => serverThat(() => {})],
    ['ends its response early', () => serverThat((s) => s.end('HTTP/1.1 200 OK\r\nContent-Le'))],
    ['responds with nonsense', () => serverThat((socket) => socket.end('nonsense'))],
    [
      'cuts its response',
      () => serverThat((s) => s.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{')),
    ],
    [
      'responds with 500',
      () => serverThat((s) => s.end('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n')),
    ],
  ])('if the server %s', async (_, start) => {
    const error = await errorOf(await start());
    expect(error).toBeInstanceOf(Error);
    expect(isUnsent(error)).toBe(false);
  });
});
