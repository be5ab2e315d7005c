/** A task that no plain worker thread can load. */
export const run = (): number => 7;
