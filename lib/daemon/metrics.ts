/** What the daemon counts and measures, in the text format of Prometheus. Counters follow the events; the rest is read when asked for. */
import { Counter, Gauge, type GaugeConfiguration, Histogram, Registry } from 'prom-client';
import type { ProcessDocument } from '../shared/documents.js';
import type { Event } from '../shared/events.js';
import { VERSION } from '../shared/version.js';
import type { Heartbeat } from '../shared/wire.js';

/** From below a millisecond, the least a freeze can be, to longer than anybody wants to wait. */
const FREEZE_BUCKETS_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

export interface MetricsPorts {
  /** Calls back at each event. */
  listen: (listener: (told: { event: Event }) => void) => void;
  self: string;
  heartbeat: () => Heartbeat;
  /** Of the own cluster, and of partners. */
  nodes: () => { state: string }[];
  partnerNodes: () => { state: string }[];
  /** What was not answered since the daemon began. */
  refused: () => { connections: number; datagrams: number };
  processes: () => Pick<ProcessDocument, 'state'>[];
  /** How many streams of events are open. */
  streams: () => number;
}

const directionOf = (self: string, from: string, to: string): string => (from === self ? 'out' : to === self ? 'home' : 'on');

export class Metrics {
  private readonly registry = new Registry();

  constructor(private readonly ports: MetricsPorts) {
    this.addGauges();
    this.addCounters();
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** What there is, for the documentation. */
  async series(): Promise<{ name: string; type: string; labels: string[]; help: string }[]> {
    const all = await this.registry.getMetricsAsJSON();
    return all.map(({ name, help, type }) => {
      const { labelNames } = this.registry.getSingleMetric(name) as unknown as { labelNames: string[] };
      return { name, type: `${type}`, labels: labelNames, help };
    });
  }

  private addGauges(): void {
    const { heartbeat, nodes, partnerNodes, processes, self, streams } = this.ports;
    const add = (settings: Omit<GaugeConfiguration<'state'>, 'registers'>): void => {
      this.registry.registerMetric(new Gauge({ ...settings, registers: [] }));
    };
    const gauge = (name: string, help: string, value: () => number): void => {
      add({
        name,
        help,
        collect() {
          this.set(value());
        },
      });
    };
    const states = (name: string, help: string, known: readonly string[], list: () => readonly { state: string }[]): void => {
      add({
        name,
        help,
        labelNames: ['state'],
        collect() {
          for (const state of known) this.set({ state }, 0);
          for (const { state } of list()) this.inc({ state });
        },
      });
    };
    const build = { name: 'mosrun_build_info', help: 'Always 1; the labels say what runs here', registers: [this.registry] };
    new Gauge({ ...build, labelNames: ['version', 'node'] }).set({ version: VERSION, node: self }, 1);
    gauge('mosrun_node_cpus', 'Processors this node may use', () => heartbeat().cpus);
    gauge('mosrun_node_load_cpus', 'Processors busy, on average over the last seconds', () => heartbeat().load);
    gauge('mosrun_node_memory_bytes', 'Memory this node may use', () => heartbeat().memory_bytes);
    gauge('mosrun_node_memory_free_bytes', 'Memory free on this node', () => heartbeat().memory_free_bytes);
    gauge('mosrun_node_swap_bytes', 'Swap space this node may use', () => heartbeat().swap_bytes ?? 0);
    gauge('mosrun_node_swap_free_bytes', 'Swap space free on this node', () => heartbeat().swap_free_bytes ?? 0);
    gauge('mosrun_node_guests', 'Processes of other nodes that are here or have been promised a place', () => heartbeat().guests);
    gauge('mosrun_event_streams', 'Streams of events that are open', streams);
    const nodeStates = ['up', 'down', 'leaving', 'blocked'];
    states('mosrun_nodes', 'Nodes of the cluster as this one sees them', nodeStates, nodes);
    states('mosrun_partner_nodes', 'Nodes of partners as this one sees them', nodeStates, partnerNodes);
    const where = ['running', 'moving', 'away', 'stopped', 'frozen'];
    states('mosrun_processes', 'Processes whose home is this node', where, processes);
  }

  private addCounters(): void {
    const registers = [this.registry];
    const counter = <T extends string>(name: string, help: string, ...labelNames: T[]): Counter<T> =>
      new Counter({ name, help, registers, labelNames });
    const started = counter('mosrun_programs_started_total', 'Programs started by mosrun on this node');
    const moves = counter('mosrun_migrations_total', "Moves of this node's processes", 'direction', 'result');
    const bytes = counter('mosrun_migration_sent_bytes_total', 'What these moves sent');
    const comeHomes = counter('mosrun_come_homes_total', 'Processes that came home by themselves, for this call', 'call');
    const guests = counter('mosrun_guests_arrived_total', 'Processes of other nodes that began to run here');
    const refused = counter('mosrun_sessions_refused_total', 'Processes of other nodes that were not taken', 'reason');
    const sentAway = counter('mosrun_guests_sent_away_total', 'Guests that were told to leave for better processes');
    const total = (name: string, help: string, value: () => number): void => {
      const metric = new Counter({
        name,
        help,
        registers: [],
        collect() {
          this.reset();
          this.inc(value());
        },
      });
      this.registry.registerMetric(metric);
    };
    const connections =
      'Questions and connections that were not answered: of clusters that are not known, or with a wrong certificate';
    total('mosrun_connections_refused_total', connections, () => this.ports.refused().connections);
    const datagrams = 'Datagrams that were not believed: of nobody known, or not signed';
    total('mosrun_datagrams_refused_total', datagrams, () => this.ports.refused().datagrams);
    const freeze = new Histogram({
      name: 'mosrun_migration_freeze_seconds',
      help: 'How long a process stood still for a move, or to come home by itself',
      buckets: FREEZE_BUCKETS_SECONDS,
      registers,
    });
    for (const direction of ['out', 'on', 'home']) for (const result of ['done', 'failed']) moves.inc({ direction, result }, 0);

    this.ports.listen(({ event }) => {
      if (event.type === 'process-started') started.inc();
      if (event.type === 'guest-arrived') guests.inc();
      if (event.type === 'guest-must-leave') sentAway.inc();
      if (event.type === 'guest-refused') refused.inc({ reason: event.reason });
      if (event.type === 'came-home') {
        comeHomes.inc({ call: event.call });
        if (event.freeze_seconds !== null) freeze.observe(event.freeze_seconds);
      }
      if (event.type !== 'migration-finished' && event.type !== 'migration-failed') return;
      const direction = directionOf(this.ports.self, event.from, event.to);
      moves.inc({ direction, result: event.type === 'migration-finished' ? 'done' : 'failed' });
      if (event.type === 'migration-failed') return;
      bytes.inc(event.bytes ?? 0);
      if (event.freeze_seconds !== null) freeze.observe(event.freeze_seconds);
    });
  }
}
