/** Takes over a newer list of nodes from whoever has one. */
import { type NodeAddress, type NodeList, isSigned, writeList } from '../cluster/index.js';
import { MosrunError, asMosrunError } from '../shared/errors.js';
import type { Configuration } from './configuration.js';

export interface ListPorts {
  self: string;
  /** The authority's certificate, PEM. */
  ca: string;
  configuration: () => Configuration;
  /** Beside the configuration. */
  directory: string;
  ask: (node: NodeAddress) => Promise<NodeList>;
  onListed: () => void;
  log: (message: string, facts: Record<string, unknown>) => void;
}

export class Lists {
  private asking = false;
  /** One that was looked at and not taken is not asked for at every sign of life. */
  private refused = 0;

  constructor(private readonly ports: ListPorts) {}

  /** A node says which revision it has. */
  heard(node: NodeAddress, revision: number): void {
    if (this.asking || revision <= this.ports.configuration().revision || revision === this.refused) return;
    this.asking = true;
    this.take(node)
      .catch((error: unknown) => {
        this.refused = revision;
        this.ports.log('list of nodes not taken', { from: node.name, revision, error: asMosrunError(error).message });
      })
      .finally(() => {
        this.asking = false;
      });
  }

  private async take(node: NodeAddress): Promise<void> {
    const { self, ca, configuration, directory, ask, onListed, log } = this.ports;
    const list = await ask(node);
    const { cluster, revision } = configuration();
    if (list.revision <= revision) return;
    if (list.cluster !== cluster || !isSigned(ca, list)) {
      throw new MosrunError(
        'protocol',
        `${node.name} has a list that the authority of ${cluster} did not sign: look after ${node.name}`,
      );
    }
    if (!list.nodes.some(({ name }) => name === self)) {
      throw new MosrunError('refused', `${self} is no longer in the list of the cluster: join it again with mosconf join`);
    }
    writeList(directory, list);
    log('list of nodes taken', { from: node.name, revision: list.revision, nodes: list.nodes.length });
    onListed();
  }
}
