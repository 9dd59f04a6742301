/** The version every command prints. */
export const VERSION = '0.1.0';
/** The day of that version, for the manual pages; ISO 8601. */
export const RELEASE_DATE = '2026-11-22';
/** The version of every JSON document; raised when a field changes its meaning or goes. */
export const DOCUMENT_VERSION = 1;
/** The version of what nodes say to each other; nodes of different versions refuse each other's sessions. */
export const PROTOCOL_VERSION = 3;
