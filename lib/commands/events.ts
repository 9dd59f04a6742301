import type { Cluster, Event } from '../api/index.js';
import { printable } from './format.js';

function line({ version: _version, id: _id, at, node, type, ...facts }: Event): string {
  const words = Object.entries(facts).filter(([, value]) => value !== null);
  const told = words.map(([name, value]) => `${name}=${typeof value === 'string' ? JSON.stringify(value) : String(value)}`);
  return [new Date(at * 1000).toISOString(), node, type, ...told].join(' ');
}

/** Prints what happens, an event a line, until it is interrupted. */
export async function printEvents(cluster: Cluster, json: boolean, print: (text: string) => void): Promise<void> {
  for await (const event of cluster.events()) print(`${json ? JSON.stringify(event) : printable(line(event))}\n`);
}
