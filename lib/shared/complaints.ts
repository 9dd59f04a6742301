/** What a schema has to say about a wrong value, in words for whoever wrote the value. */
import type * as z from 'zod';

type Issue = z.core.$ZodIssue;

export function complaint(issue: Issue): string {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `there is no key "${key}"`).join(', ');
  if (issue.message.endsWith(', received undefined')) return 'it is missing';
  return issue.message.replace(/^Invalid (input|option): /, '');
}

/** All of them in one line, each with its place. */
export const complaints = (issues: readonly Issue[]): string =>
  issues.map((issue) => [...issue.path.map(String), complaint(issue)].join(': ')).join('; ');
