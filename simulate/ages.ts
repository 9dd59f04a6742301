/** How old the entries of the board are, simulated and as computed. */
import { BoardNetwork, type BoardNetworkOptions } from './board-network.js';

export interface Ages {
  /** Of an entry of another node, in steps. */
  mean: number;
  /** Mean of the oldest entry of a board. */
  oldest: number;
}

export interface SimulatedAges extends Ages {
  /** Of an entry of another node of the own cluster. */
  ownCluster: number;
}

/** The published formulas (algorithms of the bulletin board, ABDO09), for a window much smaller than the number of nodes. */
export function expectedAges(nodes: number, window: number): Ages {
  const n = nodes - 1;
  const horizon = (n / nodes) * Math.log((window * n) / (nodes - window));
  const growth = Math.exp((nodes * horizon) / n);
  const younger = (nodes * growth) / (n + growth);
  const inWindow = horizon - (n / younger) * (Math.log(n + growth) - Math.log(nodes));
  const reached = Math.log(1 - 1 / n);
  return {
    mean: 1 / (1 - Math.exp(younger * reached)) + inWindow,
    oldest: -(Math.log(nodes) + 0.577) / (younger * reached),
  };
}

/** Boards looked at in each step: all of a small cluster, a part of a large one. */
const SAMPLES = 16;

export function simulatedAges(options: BoardNetworkOptions, steps: number): SimulatedAges {
  const network = new BoardNetwork(options);
  const { nodes } = options;
  // Until the first words, which all had at once, are forgotten.
  network.runSteps(Math.ceil(2 * expectedAges(nodes, options.window).oldest));
  const stride = Math.max(1, Math.floor(nodes / SAMPLES));
  const [all, own] = [
    { sum: 0, count: 0 },
    { sum: 0, count: 0 },
  ];
  let oldest = 0;
  let boards = 0;
  for (let step = 0; step < steps; step++) {
    network.runSteps(1);
    for (let number = step % stride; number < nodes; number += stride) {
      let most = 0;
      for (const { node, ageSeconds } of network.boards[number]?.known() ?? []) {
        most = Math.max(most, ageSeconds);
        if (Number(node) === number) continue;
        all.sum += ageSeconds;
        all.count++;
        if (!network.isNear(number, Number(node))) continue;
        own.sum += ageSeconds;
        own.count++;
      }
      oldest += most;
      boards++;
    }
  }
  return { mean: all.sum / all.count, oldest: oldest / boards, ownCluster: own.sum / own.count };
}
