/** Time as a parameter, so that whatever decides by it can be run by a simulator. */
export interface Clock {
  /** Seconds since 1970. */
  wallSeconds(): number;
  /** Seconds since some moment; never goes back. */
  seconds(): number;
  /** Calls back once; the answer cancels it. A pending call keeps no process alive. */
  after(seconds: number, call: () => void): () => void;
}

export const systemClock: Clock = {
  wallSeconds: () => Date.now() / 1000,
  seconds: () => performance.now() / 1000,
  after(seconds, call) {
    const timer = setTimeout(call, seconds * 1000);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
