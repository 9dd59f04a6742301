/** Where the time of a process that is away goes. */
import type { CallTimes, TimesByCall } from '../engine/index.js';
import type { CallsDocument } from '../shared/documents.js';

const documentOf = ({ calls, bytes, seconds, homeSeconds }: CallTimes): CallsDocument['answered'] => ({
  times: calls,
  bytes,
  seconds,
  home_seconds: homeSeconds,
});
const nothing: CallTimes = { calls: 0, bytes: 0, seconds: 0, homeSeconds: 0 };

/** @param times null: of one that is at home, where nothing is counted. */
export function callsOf(times: TimesByCall | null): Pick<CallsDocument, 'calls' | 'answered' | 'ahead'> {
  const calls = Object.entries(times?.byCall ?? {}).map(([call, one]) => ({ call, ...documentOf(one) }));
  return {
    calls: calls.toSorted((a, b) => b.seconds - a.seconds),
    answered: documentOf(times?.answered ?? nothing),
    ahead: documentOf(times?.ahead ?? nothing),
  };
}
