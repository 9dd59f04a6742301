/** What other nodes give for a move; asked for by parameters, since nodes are none of this folder's business. */
/** What a destination that agrees gives for the move. */
export interface SessionGrant {
  session: string;
  token: string;
  address: string;
  port: number;
  /** Number of this node's mosseal that the channels are to go over; 0: they are not encrypted. */
  seal: number;
  /** It may go only if it has no rights beyond those of an ordinary user's program: asked again when it is stopped. */
  ordinary: boolean;
}

/**
 * Asks a node to take a process; throws a MosrunError when it cannot be reached or refuses.
 * @param automatic nobody has ordered it.
 */
export type AskSession = (node: string, pid: number, automatic: boolean) => Promise<SessionGrant>;

/** What a process needs to move on: also a channel between the two nodes. */
export interface OnwardGrant extends SessionGrant {
  /** The channel's number. */
  memory: number;
}

/** Asks a node to take a process that is at another, in that session there, and the other to open the channel; throws as AskSession does. */
export type AskOnward = (from: string, session: string, to: string, pid: number, automatic: boolean) => Promise<OnwardGrant>;

/** Tells a node that nobody will come for a session it has opened. */
export type DropSession = (node: string, session: string) => void;
