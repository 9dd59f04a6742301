/** Where a process is whose memory is on its home's disk: a place like those that nodes' names name, which no node can have. */
export const FROZEN = '(frozen)';
