import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, run } from './compile.js';

void test('the header compiles freestanding and leaves nothing for a loader to relocate', () => {
  const freestanding = ['-ffreestanding', '-fno-exceptions', '-fno-rtti', '-fno-stack-protector', '-fpie', '-O2'];
  const alone = ['-nostdlib', '-static-pie', '-Wl,-e,look_up', '-Wl,-z,defs'];
  const blob = compile('header', ['test/syscalls/header.cc'], ...freestanding, ...alone);
  assert.match(run('readelf', '-rW', blob).stdout, /no relocations/);
});
