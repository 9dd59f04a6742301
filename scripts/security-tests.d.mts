export function sentences(text?: string): { number: number; sentence: string; tests: { file: string; name: string }[] }[];
export function unshown(files: Set<string>, names: Set<string>): string[];
