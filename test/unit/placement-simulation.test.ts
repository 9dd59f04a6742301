import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placement } from '../../simulate/placement.js';

test('in thirty simulated clusters processes are slowed down less than placed at random, or in the shortest queue', async () => {
  const policies = ['mosrun', 'random', 'shortest'] as const;
  const { differences } = await placement({ nodes: 8, busy: 0.7, seconds: 16, seeds: 30, policies, news: 'board' });
  for (const policy of ['random', 'shortest'] as const) {
    const { mean, within } = differences[policy] ?? { mean: 0, within: 0 };
    assert.ok(mean + within < 0, `${policy}: ${mean} ± ${within}`);
  }
});
