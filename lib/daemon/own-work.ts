/** Do programs of this node run here? They are better than any guest of another cluster. */
import type { Clock } from '../shared/clock.js';
import type { Residents } from './residents.js';

/** Asked for each datagram, it is looked at no more often. */
const FRESH_SECONDS = 0.3;

export class OwnWork {
  private found = false;
  private looked = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly self: string,
    private readonly clock: Clock,
    private readonly residents: Pick<Residents, 'jobs' | 'migrations' | 'isLaunching'>,
  ) {}

  get isHere(): boolean {
    const now = this.clock.seconds();
    if (now - this.looked < FRESH_SECONDS) return this.found;
    this.looked = now;
    this.found = this.look();
    return this.found;
  }

  private look(): boolean {
    const { jobs, migrations } = this.residents;
    // One that is just being started may be about to start elsewhere.
    const isHere = (pid: number): boolean =>
      !this.residents.isLaunching(pid) && !migrations.isMoving(pid) && migrations.whereIs(pid) === this.self;
    return jobs.all().some((job) => jobs.processes(job).some(isHere));
  }
}
