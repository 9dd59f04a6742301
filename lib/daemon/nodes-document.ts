import { type NodeView, clusterOf } from '../cluster/index.js';
import type { NodesDocument } from '../shared/documents.js';
import { DOCUMENT_VERSION } from '../shared/version.js';

/** @param own name of the own cluster. */
export function nodesDocument(nodes: readonly NodeView[], own: string): NodesDocument {
  return {
    version: DOCUMENT_VERSION,
    nodes: nodes.map(
      ({ name, number, address, controlPort, state, self, why, lastSeenSeconds, facts, labels, clockOffsetSeconds }) => ({
        name,
        number,
        cluster: clusterOf(name) ?? own,
        partner: clusterOf(name) !== null,
        labels: [...(labels ?? [])],
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
        swap_bytes: facts?.swap_bytes ?? null,
        swap_free_bytes: facts?.swap_free_bytes ?? null,
        guests: facts?.guests ?? null,
        frozen: facts?.frozen ?? null,
        clock_offset_seconds: clockOffsetSeconds ?? null,
        kernel: facts?.kernel ?? null,
        mosrun_version: facts?.mosrun_version ?? null,
      }),
    ),
  };
}
