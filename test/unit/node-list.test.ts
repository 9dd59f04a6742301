import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { makeAuthority, makeNodeCertificate, makeRequest, signRequest } from '../../lib/cluster/certificates.js';
import {
  Invitations,
  type ListedNode,
  conflicts,
  fingerprintOf,
  isSigned,
  parseToken,
  readList,
  signList,
  writeList,
} from '../../lib/cluster/index.js';

const directory = mkdtempSync(path.join(tmpdir(), 'mosrun-list-'));
after(() => {
  rmSync(directory, { recursive: true });
});

const node = (name: string, number: number): ListedNode => ({
  name,
  number,
  address: `10.0.0.${number}`,
  control_port: 7070,
  data_port: 7071,
});
const two = [node('a', 1), node('b', 2)];

test("a list is believed with its own authority's signature, and with no change to it", async () => {
  const [ca, other] = await Promise.all([makeAuthority('lab'), makeAuthority('lab')]);
  const list = signList(ca.key, 'lab', 3, two);
  assert.ok(isSigned(ca.certificate, list));
  assert.ok(!isSigned(other.certificate, list));
  for (const changed of [
    { ...list, revision: 4 },
    { ...list, cluster: 'other' },
    { ...list, nodes: two.slice(1) },
    { ...list, nodes: [two[0] as ListedNode, { ...(two[1] as ListedNode), address: '10.0.0.9' }] },
    { ...list, signature: '' },
  ]) {
    assert.ok(!isSigned(ca.certificate, changed));
  }
  const [{ data_port, control_port, ...rest } = node('a', 1)] = list.nodes;
  assert.ok(
    isSigned(ca.certificate, { ...list, nodes: [{ data_port, control_port, ...rest }, node('b', 2)] }),
    'the order of fields is nothing',
  );
  writeList(directory, list);
  assert.deepEqual(readList(directory), list);
  writeFileSync(path.join(directory, 'nodes.json'), '{"version":1');
  assert.throws(() => readList(directory), { code: 'configuration', message: /is no list of nodes/ });
});

test('two nodes may not have the same name, number, or address and port', () => {
  const fields = (...nodes: ListedNode[]) => [...conflicts(nodes)].map(({ field, index }) => `${field} ${index}`);
  assert.deepEqual(fields(...two), []);
  assert.deepEqual(fields(...two, node('a', 3)), ['name 2']);
  assert.deepEqual(fields(...two, { ...node('c', 2), address: '10.0.0.3' }), ['number 2']);
  assert.deepEqual(fields(...two, { ...node('c', 3), address: '10.0.0.2' }), ['address 2']);
  assert.deepEqual(fields(...two, { ...node('c', 3), address: '10.0.0.2', control_port: 7080 }), []);
});

test('a request is signed for the name the cluster gives, and for its own key alone', async () => {
  const ca = await makeAuthority('lab');
  const { request } = await makeRequest('mallory');
  const certificate = await signRequest(ca, request, 'b');
  const { X509Certificate } = await import('node:crypto');
  assert.equal(new X509Certificate(certificate).subject, 'CN=b');
  assert.equal(new X509Certificate(certificate).ca, false);
  // One byte of the key is another: who sends it does not have the private one.
  const bytes = Buffer.from(request.replaceAll(/-----.*-----|\s/g, ''), 'base64');
  const key = bytes.indexOf(Buffer.from([0x2b, 0x65, 0x70, 0x03, 0x21, 0x00])) + 6;
  bytes[key] = (bytes[key] ?? 0) ^ 1;
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  await assert.rejects(signRequest(ca, forged, 'b'));
  await assert.rejects(signRequest(ca, (await makeNodeCertificate(ca, 'b')).certificate, 'b'));
});

test('an invitation is open once, for its time, and is kept as a hash', async () => {
  const { certificate } = await makeAuthority('lab');
  let now = 1000;
  const at = path.join(directory, 'invitations');
  const invitations = new Invitations(at, () => now);
  assert.equal(invitations.any, false);
  const text = invitations.create(certificate, 60);
  assert.match(text, /^[\w-]{64}$/);
  const { secret, fingerprint } = parseToken(text);
  assert.ok(fingerprint.equals(fingerprintOf(certificate)));
  assert.ok(invitations.any && invitations.has(secret));
  assert.ok(!invitations.has(Buffer.alloc(16)));
  invitations.use(secret);
  assert.ok(!invitations.has(secret) && !invitations.any);
  assert.throws(() => {
    invitations.use(secret);
  });
  const late = parseToken(invitations.create(certificate, 60)).secret;
  now += 61;
  assert.ok(!invitations.has(late) && !invitations.any);
  assert.deepEqual(readdirSync(at), [], 'what has expired is taken away');
  for (const wrong of ['', text.slice(1), `${text}x`, `${text.slice(0, -1)}!`])
    assert.throws(() => parseToken(wrong), { code: 'usage' });
});
