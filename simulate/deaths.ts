/** How fast it gets about that a node has died. */
import { BoardNetwork, type BoardNetworkOptions } from './board-network.js';

/** @returns steps from the moment that one node finds another dead until that share of the others know it */
export function stepsUntilKnown(options: BoardNetworkOptions, share: number): number {
  const network = new BoardNetwork(options);
  network.runSteps(5);
  network.kill(0);
  network.boards[1]?.lose('0', 'it does not answer');
  for (let steps = 0; ; steps++) {
    const boards = network.living;
    const told = boards.filter((board) => board.about('0').gone !== null).length;
    if (told >= share * boards.length || steps > 10 * options.nodes) return steps;
    network.runSteps(1);
  }
}
