/** What lives here, what is away, and how it gets there. */
export * from './away-files.js';
export * from './cgroups.js';
export * from './cleaner.js';
export * from './debuggers.js';
export * from './grants.js';
export * from './history.js';
export * from './identity.js';
export * from './jobs.js';
export * from './migrations.js';
export * from './mover-records.js';
export * from './privileges.js';
export * from './proc.js';
export * from './process-table.js';
export * from './runnable.js';
export * from './stays.js';
export * from './stops.js';
export * from './whereabouts.js';
