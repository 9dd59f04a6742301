/** Understands mosrun's command line; the daemon asks for it, since the launcher itself knows no option. */
import { MosrunError } from '../shared/errors.js';
import type { InterpretLaunch, Launch } from '../shared/launch-decision.js';
import { VERSION } from '../shared/version.js';
import { helpText } from './help.js';
import { type Parsed, parseOptions } from './options.js';
import { commands } from './table.js';

/** mosrun's own errors, usage included, end like those of env(1). */
const OWN_FAILURE = 125;

/** Which of these options came last; null when none did. */
function lastOf<T extends string>(options: Parsed, names: readonly T[]): T | null {
  return (options.order.findLast((one) => (names as readonly string[]).includes(one)) as T | undefined) ?? null;
}

function toLaunch(options: Parsed): Launch {
  if (options.words.length === 0) throw new MosrunError('usage', 'no program was named: see mosrun --help');
  if (options.has('argv0') && options.words.length < 2) {
    throw new MosrunError('usage', "-z needs the program's argv[0] after the program: see mosrun --help");
  }
  const place = lastOf(options, ['node', 'home', 'best']);
  const lock = lastOf(options, ['locked', 'unlocked']);
  const clock = lastOf(options, ['host-clock', 'home-clock']);
  const start: Launch['start'] =
    place === 'node' ? { at: 'node', node: options.get('node') ?? '' } : place === 'best' ? { at: 'best' } : { at: 'home' };
  return {
    start,
    fallBack: options.has('fall-back'),
    locked: lock ? lock === 'locked' : place === 'node' || place === 'home' ? true : null,
    clock: clock ? (clock === 'host-clock' ? 'host' : 'home') : null,
    jobId: options.get('job') ?? null,
    // The launcher's argv counts its own name.
    programIndex: options.firstWord + 1,
    argumentsStartAtName: options.has('argv0'),
  };
}

export const interpretLaunch: InterpretLaunch = (argv) => {
  try {
    const options = parseOptions(commands.mosrun, argv.slice(1));
    if (options.has('help')) return { kind: 'answer', output: helpText(commands.mosrun), error: '', exitCode: 0 };
    if (options.has('version')) return { kind: 'answer', output: `mosrun ${VERSION}\n`, error: '', exitCode: 0 };
    return { kind: 'launch', launch: toLaunch(options) };
  } catch (error) {
    if (!(error instanceof MosrunError)) throw error;
    return { kind: 'answer', output: '', error: `mosrun: ${error.message}\n`, exitCode: OWN_FAILURE };
  }
};
