/** Tells whoever started this daemon as a service how it is: the protocol of sd_notify(3), lines in datagrams to a unix socket. */
import type { Clock } from '../shared/clock.js';

export interface ServiceSettings {
  /** Where to tell. */
  socket: string;
  /** To be heard from at least so often, or be killed; null: no such wish. */
  watchdogSeconds: number | null;
}

/** Takes the variables away, so that what this daemon starts does not speak in its name. null: no service manager. */
export function takeServiceSettings(environment: NodeJS.ProcessEnv, pid: number): ServiceSettings | null {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: microseconds, WATCHDOG_PID: watched } = environment;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name];
  // Sockets are files or abstract names; the third kind, vsock, is for virtual machines.
  if (!socket || !/^[/@]/.test(socket)) return null;
  const isForUs = watched === undefined || watched === `${pid}`;
  const seconds = isForUs ? Number(microseconds ?? 0) / 1e6 : 0;
  return { socket, watchdogSeconds: seconds > 0 ? seconds : null };
}

export interface ServicePorts {
  clock: Clock;
  send: (address: string, text: string) => void;
  log: (message: string, facts: Record<string, unknown>) => void;
}

export class ServiceManager {
  private beating = false;

  constructor(
    private readonly settings: ServiceSettings | null,
    private readonly ports: ServicePorts,
  ) {}

  ready(status: string): void {
    this.tell(['READY=1', `STATUS=${status.replaceAll(/\s+/g, ' ')}`]);
    this.beat();
  }

  /** Until ready() is called again. */
  reloading(): void {
    // CLOCK_MONOTONIC, by which systemd tells this reload from an earlier one's end; Node's clock of that name is the same.
    this.tell(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]);
  }

  stopping(): void {
    this.tell(['STOPPING=1']);
  }

  /** Comes from the event loop: one that hangs says nothing. Half of the time, as sd_watchdog_enabled(3) advises. */
  private beat(): void {
    const seconds = this.settings?.watchdogSeconds;
    if (!seconds || this.beating) return;
    this.beating = true;
    this.tell(['WATCHDOG=1']);
    this.ports.clock.after(seconds / 2, () => {
      this.beating = false;
      this.beat();
    });
  }

  private tell(lines: readonly string[]): void {
    if (!this.settings) return;
    try {
      this.ports.send(this.settings.socket, lines.join('\n'));
    } catch (error) {
      this.ports.log('the service manager cannot be told', { lines, error: String(error) });
    }
  }
}
