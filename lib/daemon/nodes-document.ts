import type { NodeView } from '../cluster/index.js';
import type { NodesDocument } from '../shared/documents.js';
import { DOCUMENT_VERSION } from '../shared/version.js';

export function nodesDocument(nodes: readonly NodeView[]): NodesDocument {
  return {
    version: DOCUMENT_VERSION,
    nodes: nodes.map(({ name, number, address, controlPort, state, self, why, lastSeenSeconds, facts }) => ({
      name,
      number,
      address,
      control_port: controlPort,
      state,
      self,
      why,
      last_seen_seconds: lastSeenSeconds,
      cpus: facts?.cpus ?? null,
      load: facts?.load ?? null,
      runnable: facts?.runnable ?? null,
      speed: facts?.speed ?? null,
      memory_bytes: facts?.memory_bytes ?? null,
      memory_free_bytes: facts?.memory_free_bytes ?? null,
      guests: facts?.guests ?? null,
      kernel: facts?.kernel ?? null,
      mosrun_version: facts?.mosrun_version ?? null,
    })),
  };
}
