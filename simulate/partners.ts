/** Which clusters take whose processes. A process is of the cluster of its home, wherever it comes from. */
import { at } from './lists.js';
import type { Scenario } from './scenario.js';

export class Partners {
  private readonly priorities = new Map<string, number>();

  constructor(private readonly scenario: Pick<Scenario, 'clusters' | 'partners'>) {
    for (const { host, guest, priority } of scenario.partners) this.priorities.set(`${host} ${guest}`, priority);
  }

  clusterOf(node: number): number {
    return at(this.scenario.clusters, node);
  }

  isOwn(one: number, other: number): boolean {
    return this.clusterOf(one) === this.clusterOf(other);
  }

  /** Of a process of that home on a node; null: it is not taken there. */
  priority(home: number, node: number): number | null {
    if (this.isOwn(home, node)) return 0;
    return this.priorities.get(`${this.clusterOf(node)} ${this.clusterOf(home)}`) ?? null;
  }
}
