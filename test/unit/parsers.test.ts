/** Parsers of what others send: whatever it is, they answer with a value or with the error they say they throw. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { interpretLaunch } from '../../lib/commands/launch.js';
import { parseConfiguration } from '../../lib/daemon/configuration.js';
import { MosrunError } from '../../lib/shared/errors.js';
import { LONGEST_FRAME_BYTES, readLaunch, takeFrame } from '../../lib/shared/launch-frames.js';
import { heartbeat, sessionAnswer, sessionRequest } from '../../lib/shared/wire.js';

const runs = { numRuns: 5000 };
const latin1 = fc
  .uint8Array({ maxLength: 20 })
  .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0)).toString('latin1'));

/** The value, or undefined if what was thrown is of the kind that may be. */
function attempt<T>(kind: new (...words: never[]) => Error, parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof kind) return undefined;
    throw error;
  }
}

const number32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const terminated = (words: readonly string[]): Buffer => Buffer.from(words.map((word) => `${word}\0`).join(''), 'latin1');
const launch = fc.record({ argv: fc.array(latin1, { maxLength: 5 }), directory: latin1 }).map(({ argv, directory }) => ({
  argv,
  directory,
  body: Buffer.concat([Buffer.from([1, 0]), number32(argv.length), terminated([...argv, directory]), number32(0)]),
}));

void test('any bytes of a launcher are a frame, not yet one, or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const frame = attempt(RangeError, () => takeFrame(Buffer.from(bytes)));
      if (!frame) return;
      assert.equal(frame.body.length, Buffer.from(bytes).readUInt32LE(0));
      assert.ok(frame.body.length <= LONGEST_FRAME_BYTES);
      attempt(RangeError, () => readLaunch(frame.body));
    }),
    runs,
  );
});

void test("a launcher's request is read whole, and refused cut short or changed, or read as something else", () => {
  fc.assert(
    fc.property(launch, fc.nat(), fc.nat(255), ({ argv, directory, body }, at, value) => {
      const read = readLaunch(body);
      assert.deepEqual([read.argv, read.directory], [argv, directory]);
      assert.throws(() => readLaunch(body.subarray(0, at % body.length)), RangeError);
      const changed = Buffer.from(body);
      changed[at % body.length] = value;
      const other = attempt(RangeError, () => readLaunch(changed));
      if (other) assert.ok(other.argv.length <= changed.length);
    }),
    runs,
  );
});

void test('any command line is understood, or answered', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(latin1, fc.constantFrom('-r', '--job=x', '-J', '--', '-z', '--help', '-b')), { maxLength: 8 }),
      (words) => {
        const decision = attempt(MosrunError, () => interpretLaunch(['mosrun', ...words]));
        if (decision?.kind === 'launch')
          assert.ok(decision.launch.programIndex > 0 && decision.launch.programIndex <= words.length);
      },
    ),
    runs,
  );
});

void test('any document of another node is taken or refused, never thrown at', () => {
  const documents = { heartbeat, sessionRequest, sessionAnswer };
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(documents)), (value, name) => {
      const parsed = documents[name as keyof typeof documents].safeParse(value);
      assert.equal(typeof parsed.success, 'boolean');
    }),
    runs,
  );
  const answer = { session: '0123456789abcdef', token: 'a'.repeat(64), address: 'x', port: 1, encrypted: false };
  assert.ok(sessionAnswer.safeParse(answer).success);
  fc.assert(
    fc.property(fc.constantFrom('session', 'token', 'address', 'port', 'encrypted'), fc.jsonValue(), (key, value) => {
      const parsed = sessionAnswer.safeParse({ ...answer, [key]: value });
      if (parsed.success) assert.match(parsed.data.session + parsed.data.token, /^[0-9a-f]{80}$/);
    }),
    runs,
  );
});

void test('any text of a configuration is taken, or refused by name', () => {
  const good = 'cluster = "lab"\nnode = "node1"\n[[nodes]]\nname = "node1"\nnumber = 1\naddress = "10.0.0.1"\n';
  fc.assert(
    fc.property(fc.string(), fc.nat(good.length), fc.nat(10), (text, at, gap) => {
      attempt(MosrunError, () => parseConfiguration(good.slice(0, at) + text + good.slice(at + gap), 'mosrun.toml'));
    }),
    runs,
  );
});
