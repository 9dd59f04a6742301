import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { systemCode } from './errors.js';

/** Writes a file so that a reader, or a crash, sees the old content or the new, never a part. */
export function writeAtomically(file: string, content: string, mode = 0o600): void {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}`);
  writeFileSync(temporary, content, { mode });
  renameSync(temporary, file);
}

export function makeDirectory(directory: string, mode = 0o755): void {
  mkdirSync(directory, { recursive: true, mode });
}

export function removeFile(file: string): void {
  rmSync(file, { force: true });
}

/** The file's text, or null where there is none (or none any more: files of /proc vanish with their process). */
/** What a file of a process that has ended meanwhile, or of a control group that was removed, answers too. */
const gone = ['ENOENT', 'ESRCH', 'ENOTDIR', 'ENODEV'];

export function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (gone.includes(systemCode(error))) return null;
    throw error;
  }
}

export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (gone.includes(systemCode(error))) return [];
    throw error;
  }
}

/** A small JSON file; null when it is missing or no JSON (a writer that died half-way has left nothing to trust). */
export function readJson(file: string): unknown {
  const text = readIfThere(file);
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
