/** Who is there, and how to talk to them. */
export * from './membership.js';
export * from './peer-client.js';
export * from './static-membership.js';
