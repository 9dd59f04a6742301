/** A command line, or what another node says, may hold anything; a line feed would break a table, an escape the terminal. As ps(1), a question mark. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '?');

/** The same for a text of several lines. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');
