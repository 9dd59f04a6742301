import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { makeAuthority, makeNodeCertificate } from '../../lib/cluster/certificates.js';
import { PeerClient } from '../../lib/cluster/index.js';

test('questions wait for each other: that many are asked at once is no reason to call a node unreachable, and leaves nothing at its connections', async () => {
  const ca = await makeAuthority('lab');
  const [own, other] = await Promise.all([makeNodeCertificate(ca, 'node1'), makeNodeCertificate(ca, 'node2')]);
  let answered = 0;
  const server = createServer(
    { key: other.key, cert: other.certificate, ca: ca.certificate, requestCert: true },
    (_, response) => {
      void sleep(50).then(() => {
        answered++;
        response.setHeader('content-type', 'application/json');
        response.end('{}');
      });
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  const client = new PeerClient({ ca: ca.certificate, certificate: own.certificate, key: own.key });
  try {
    const at = {
      name: 'node2',
      number: 2,
      address: '127.0.0.1',
      controlPort: (server.address() as AddressInfo).port,
      dataPort: 0,
    };
    const question = { method: 'GET', path: '/', connectSeconds: 1, timeoutSeconds: 1 } as const;
    await Promise.all(Array.from({ length: 120 }, () => client.ask(at, question, z.object({}))));
    assert.equal(answered, 120);
    await sleep(1);
    assert.deepEqual(warnings, []);
  } finally {
    process.off('warning', note);
    client.close();
    server.close();
    server.closeAllConnections();
  }
});
