/** Whose certificate it is, as its subject says: a node's has a name alone, a tool's has its role beside it, as organizational unit. */

/** `reader`: may look; `operator`: may do what root may. */
export type ToolRole = 'reader' | 'operator';

export interface Holder {
  name: string;
  role: 'node' | ToolRole;
}

/** The subject of a tool's certificate. */
export const toolSubject = (name: string, role: ToolRole): string => `OU=${role}, CN=${name}`;

/** @param subject as Node gives it; null where it is none of ours. */
export function holderOf(subject: Record<string, string | string[] | undefined> | undefined): Holder | null {
  const { CN: name, OU: role, ...others } = subject ?? {};
  if (typeof name !== 'string' || name === '' || Object.keys(others).length > 0) return null;
  if (role === undefined) return { name, role: 'node' };
  return role === 'reader' || role === 'operator' ? { name, role } : null;
}
