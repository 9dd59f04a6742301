/** Who can reach whom: not the dead, and nobody across a cut. */
export class Wires {
  private readonly dead = new Set<number>();
  private side: ((node: number) => number) | null = null;

  kill(node: number): void {
    this.dead.add(node);
  }

  revive(node: number): void {
    this.dead.delete(node);
  }

  /** @param side two nodes hear each other if they are on the same. */
  cut(side: (node: number) => number): void {
    this.side = side;
  }

  heal(): void {
    this.side = null;
  }

  isAlive(node: number): boolean {
    return !this.dead.has(node);
  }

  reaches(from: number, to: number): boolean {
    return this.isAlive(from) && this.isAlive(to) && (this.side === null || this.side(from) === this.side(to));
  }
}
