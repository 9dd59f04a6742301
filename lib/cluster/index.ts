/** Who is there, and how to talk to them. */
export * from './board.js';
export * from './clock-offset.js';
export * from './datagrams.js';
export * from './gossip-membership.js';
export * from './gossip-ports.js';
export * from './gossip-socket.js';
export * from './holders.js';
export * from './identification.js';
export * from './invitations.js';
export * from './join-client.js';
export * from './membership.js';
export * from './names.js';
export * from './node-list.js';
export * from './partner-nodes.js';
export * from './partners.js';
export * from './peer-client.js';
