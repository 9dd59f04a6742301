/** What launchers are given: jobs, places and explanations, from the parts that have them. */
import type { Membership } from '../cluster/index.js';
import type { Automatic } from './automatic.js';
import type { Clusters } from './clusters.js';
import { explainLaunch } from './explain.js';
import type { LaunchServices } from './launch-server.js';
import type { Residents } from './residents.js';
import { findNode, findNodes } from './services.js';
import type { Sessions } from './sessions.js';

export interface LaunchParts extends Pick<LaunchServices, 'interpret' | 'identify' | 'self' | 'log' | 'conduct'> {
  members: Membership;
  residents: Residents;
  automatic: Automatic;
  sessions: Sessions;
  clusters: Clusters;
}

export function launchServices({ members, residents, automatic, sessions, clusters, ...given }: LaunchParts): LaunchServices {
  const whyNoNode = (name: string): string | null => clusters.whyNoNode(name);
  return {
    ...given,
    outerJob: (pid) => residents.jobs.jobOf(pid),
    createJob: (pid, options, command, launched) => residents.createJob(pid, options, command, launched),
    bestNode: (pid, { memory_bytes: bytes, abroad }) => automatic.best(bytes, abroad ? pid : null).node,
    isAutomatic: () => automatic.isOn,
    findNode: (name) => findNode(members, clusters.plain(name), whyNoNode),
    findNodes: (name) => findNodes(members, clusters.plain(name), whyNoNode),
    explain: (pid, found, start, options) =>
      explainLaunch(
        { members, engine: residents.engine, ask: (name, one) => sessions.refusal(name, one, options.abroad), start, options },
        pid,
        found,
      ),
    leaveJob: (pid) => {
      residents.jobs.leave(pid);
    },
    startAway: (pid, name, conduct, command) => {
      automatic.balancer.expected.started(name, 0);
      return residents.migrations.startAway(pid, name, conduct, command);
    },
  };
}
