import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { openApiDocument } from '../../lib/daemon/openapi.js';
import { checkPermission, localCaller } from '../../lib/daemon/permission.js';
import { routes } from '../../lib/shared/routes.js';

const source = process.env['MOSRUN_SOURCE'] ?? process.cwd();

test('docs/openapi.json, and what docs/api.md takes from the tables and the examples, are current', () => {
  const words = [path.join(source, 'scripts/generate-api.mjs'), '--check'];
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, '']);
});

test('every route is described, with its parameters, answers and failures, and every reference leads somewhere', () => {
  const document = openApiDocument() as unknown as {
    paths: Record<string, Record<string, { responses: object; parameters?: { in: string; name: string }[] }>>;
    components: { schemas: Record<string, unknown> };
  };
  for (const name of Object.keys(routes)) {
    const [method = '', where = ''] = name.split(' ');
    const operation = document.paths[where]?.[method.toLowerCase()];
    assert.ok(operation, name);
    for (const status of ['200', '400', '403', '500'])
      assert.ok(Object.hasOwn(operation.responses, status), `${name}: ${status}`);
    const words = [...where.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const described = (operation.parameters ?? []).filter((one) => one.in === 'path').map((one) => one.name);
    assert.deepEqual(described, words, name);
  }
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g)].map((match) => match[1] ?? '');
  assert.ok(references.length > 20);
  for (const reference of references) {
    const [, name = ''] = /^#\/components\/schemas\/(\w+)$/.exec(reference) ?? [];
    assert.ok(Object.hasOwn(document.components.schemas, name), reference);
  }
});

test('what only an operator may is refused to users, and what owners may to others', () => {
  const tool = { name: 'tool viewer', uid: null, operates: false, seesAll: true };
  checkPermission('anyone', tool, undefined);
  checkPermission('operator', localCaller({ uid: 0 }), undefined);
  checkPermission('operator', { ...tool, operates: true }, undefined);
  checkPermission('owner', localCaller({ uid: process.getuid?.() ?? 0 }), process.pid);
  for (const caller of [tool, localCaller({ uid: 65533 })]) {
    assert.throws(() => checkPermission('operator', caller, undefined), { code: 'not-permitted' });
    assert.throws(() => checkPermission('owner', caller, process.pid), { code: 'not-permitted' });
  }
  assert.throws(() => checkPermission('owner', localCaller({ uid: 0 }), 4_000_000), { code: 'not-found' });
});
