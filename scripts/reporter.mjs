// A reporter for node --test: one line a test, the error of each failure. MOSRUN_TEST_NAMES: a file for the tests that did not fail, one a line.
// MOSRUN_TEST_COUNTS: a file for what came of all; without it that is the last line: "N passed, N failed".
import { appendFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const oneLine = (text) => String(text).replaceAll('\n', ' ');

export default async function* reporter(source) {
  let [passed, failed, skipped] = [0, 0, 0];
  const failures = [];
  for await (const { type, data } of source) {
    if (type === 'test:diagnostic' && data.level === 'warn') yield `  ${data.message}\n`;
    if (type === 'test:stdout' || type === 'test:stderr') yield data.message;
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    // A suite, and the file itself, only hold tests; a file that could not even be loaded is a failure of its own.
    const isFile = data.nesting === 0 && data.name.endsWith('.test.mjs');
    const holdsTests = data.details?.type === 'suite' || isFile;
    const where = data.file
      ? path
          .relative('.', data.file)
          .replace(/^(build\/)?test\//, '')
          .replace(/\.test\.(mjs|ts)$/, '')
      : '';
    if (type === 'test:pass' && process.env.MOSRUN_TEST_NAMES)
      appendFileSync(process.env.MOSRUN_TEST_NAMES, `${where}: ${data.name}\n`);
    if (data.skip !== undefined || data.todo !== undefined) {
      skipped++;
      yield `skip  ${where}: ${data.name} (${oneLine(data.skip === true ? 'no reason given' : (data.skip ?? data.todo))})\n`;
    } else if (type === 'test:pass') {
      if (holdsTests) continue;
      passed++;
      yield `ok    ${where}: ${data.name} (${(data.details.duration_ms / 1000).toFixed(2)} s)\n`;
    } else {
      const error = data.details.error;
      if (error?.failureType === 'subtestsFailed') continue;
      failed++;
      const failure = `FAIL  ${where}: ${data.name}\n${error?.cause?.stack ?? error?.stack ?? error}\n`;
      failures.push(failure);
      yield failure;
    }
  }
  if (process.env.MOSRUN_TEST_COUNTS) {
    writeFileSync(process.env.MOSRUN_TEST_COUNTS, JSON.stringify({ passed, failed, skipped, failures }));
    return;
  }
  yield `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
}
