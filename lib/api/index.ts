/** What `import 'mosrun'` gives. */
export { Cluster, type ConnectOptions, type MigrateOptions, type RunOptions } from './cluster.js';
export { type ErrorCode, MosrunError } from '../shared/errors.js';
export type {
  DoctorDocument,
  GuestDocument,
  HistoryEntry,
  MigrationDocument,
  NodeDocument,
  ProcessDetailDocument,
  ProcessDocument,
  ProcessesDocument,
  StatusDocument,
} from '../shared/documents.js';
export { VERSION } from '../shared/version.js';
