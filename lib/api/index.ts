/** What `import 'mosrun'` gives. */
export type { ConnectOptions } from './client.js';
export { type AskOptions, Cluster, type Explanation, type MigrateOptions, type RunOptions } from './cluster.js';
export type { EventStream, EventsOptions } from './events.js';
export type { Exit, Program } from './program.js';
export { type ErrorCode, MosrunError } from '../shared/errors.js';
export type { Event, EventFields, EventType } from '../shared/events.js';
export type {
  CallsDocument,
  DoctorDocument,
  ExplanationDocument,
  GuestDocument,
  HistoryEntry,
  MigrationDocument,
  NodeDocument,
  OperationDocument,
  OperationName,
  ProcessDetailDocument,
  ProcessDocument,
  ProcessesDocument,
  SettingsDocument,
  StatusDocument,
  TimesDocument,
} from '../shared/documents.js';
export { VERSION } from '../shared/version.js';
