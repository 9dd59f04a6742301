/** A process's place in its migration: named states, named transitions, nothing else. */

export type MigrationState =
  /** Nothing is under way. */
  | 'idle'
  /** The destination has been asked, and has not answered. */
  | 'asking'
  /** A mover carries it out. */
  | 'leaving'
  /** A mover brings it home. */
  | 'returning'
  /** A mover takes it from one hosting node to another. */
  | 'moving';

export type MigrationEvent =
  | 'ordered-out'
  | 'ordered-on'
  | 'ordered-home'
  /** A mover of an earlier life of the daemon was found at work. */
  | 'found-leaving'
  | 'found-returning'
  | 'found-moving'
  | 'admitted'
  /** The node that hosts it has a channel to the next. */
  | 'linked'
  | 'refused'
  | 'moved'
  | 'failed';

const transitions: Record<MigrationState, Partial<Record<MigrationEvent, MigrationState>>> = {
  idle: {
    'ordered-out': 'asking',
    'ordered-on': 'asking',
    'ordered-home': 'returning',
    'found-leaving': 'leaving',
    'found-returning': 'returning',
    'found-moving': 'moving',
  },
  asking: { admitted: 'leaving', linked: 'moving', refused: 'idle' },
  leaving: { moved: 'idle', failed: 'idle' },
  returning: { moved: 'idle', failed: 'idle' },
  moving: { moved: 'idle', failed: 'idle' },
};

/** Throws on an event that cannot happen in this state: a fault of ours, which must not be hidden. */
export function nextState(state: MigrationState, event: MigrationEvent): MigrationState {
  const next = transitions[state][event];
  if (!next) throw new Error(`a migration that is ${state} cannot be ${event}`);
  return next;
}
