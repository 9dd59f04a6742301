/** mosd. */
export * from './configuration.js';
export * from './daemon.js';
