/** An amount of memory for a sentence: never told as less than it is. */
export const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MB`;
