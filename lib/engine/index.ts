/** The only door to what is native. */
export * from './addon.js';
export * from './gate-client.js';
export * from './mover.js';
