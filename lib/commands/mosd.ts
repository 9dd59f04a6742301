import { realpathSync } from 'node:fs';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { pino } from 'pino';
import { configurationFile, readConfiguration, startDaemon, takeServiceSettings } from '../daemon/index.js';
import { MosrunError } from '../shared/errors.js';
import { interpretLaunch } from './launch.js';
import type { CommandBody } from './run.js';

/** The helpers stand beside the commands: bin/mosd, libexec/mosmove. */
function besideUs(): string {
  return path.resolve(realpathSync(process.argv[1] ?? '.'), '../../libexec');
}

export const mosd: CommandBody = async (options) => {
  if (options.words.length > 0) throw new MosrunError('usage', `"${options.words[0]}" is too much: see mosd --help`);
  // A daemon makes little that lives on: the space for what is new need not grow, which it else does to 32 MiB and keeps.
  setFlagsFromString('--semi-space-growth-factor=1');
  const configuration = readConfiguration(configurationFile(options.get('config')));
  const log = pino({ level: configuration.log.level, base: null }, pino.destination({ fd: 2, sync: true }));
  const libexec = configuration.paths.libexec || besideUs();
  const service = takeServiceSettings(process.env, process.pid);
  // An order to shut down ends it as SIGTERM does.
  const end = (): void => void process.kill(process.pid, 'SIGTERM');
  const daemon = await startDaemon({ configuration, libexec, interpret: interpretLaunch, log, service, end });
  process.on('SIGHUP', () => {
    daemon.reload();
  });
  // A log reader that went away must not end the daemon.
  process.on('SIGPIPE', () => {});
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        void daemon.stop().then(() => {
          resolve(0);
          process.exit(0);
        });
      });
    }
  });
};
