/** Where processes may go and where they should. */
export * from './admission.js';
export * from './balancer.js';
export * from './choose.js';
export * from './cost.js';
export * from './decide.js';
export * from './expected.js';
export * from './flood.js';
export * from './links.js';
export * from './load.js';
export * from './places.js';
export * from './priority.js';
export * from './profile.js';
export * from './runnable.js';
export * from './speed.js';
