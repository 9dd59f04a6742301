/** Where processes may go and where they should. */
export * from './admission.js';
export * from './choose.js';
export * from './load.js';
