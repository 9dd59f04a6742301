/** What all parts of the daemon are given. */
import type { NodeAddress } from '../cluster/index.js';
import type { Addon } from '../engine/index.js';
import type { Clock } from '../shared/clock.js';
import type { Configuration } from './configuration.js';
import type { EventBook } from './event-book.js';
import type { NodeSettings } from './node-settings.js';

export interface Log {
  info(facts: Record<string, unknown>, message: string): void;
  error(facts: Record<string, unknown>, message: string): void;
}

export interface Context {
  /** As it is now: it may be read again. */
  configuration: () => Configuration;
  /** This node. */
  own: NodeAddress;
  addon: Addon;
  /** Where mosmove, mosgate and the addon are. */
  libexec: string;
  clock: Clock;
  log: Log;
  events: EventBook;
  settings: NodeSettings;
  /** Of all nodes that are known, the own cluster's first. */
  addresses: () => NodeAddress[];
  /** A file or directory of the run-time directory. */
  runtime: (name: string) => string;
}

export const addressesIn = (configuration: Configuration): NodeAddress[] =>
  configuration.nodes.map((node) => ({
    name: node.name,
    number: node.number,
    address: node.address,
    controlPort: node.control_port,
    dataPort: node.data_port,
  }));
