import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placement } from '../../simulate/placement.js';

test('in thirty simulated clusters processes are slowed down less than placed at random, or in the shortest queue', async () => {
  const { differences } = await placement({ nodes: 8, busy: 0.7, seconds: 50, seeds: 30 });
  for (const policy of ['random', 'shortest'] as const) {
    const { mean, within } = differences[policy];
    assert.ok(mean + within < 0, `${policy}: ${mean} ± ${within}`);
  }
});
