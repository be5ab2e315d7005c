/**
 * How often a rank looks at a peer's counter before it sleeps on it.
 *
 * A sleep and its wake cost 10 µs and more; a spin costs nothing but the core it runs on. Where every rank has a
 * core, it spins for about 0.1 ms, as long as a small decode segment lasts. Where ranks share cores, whoever spins
 * keeps the one it waits for from running, so it sleeps almost at once.
 *
 * Measured with bench/collectives.mjs on two cores, one-shot, microseconds:
 *
 * | spins          | 0    | 50  | 200 | 1000 | 5000 | 20 000 |
 * |----------------|------|-----|-----|------|------|--------|
 * | 2 ranks, 256 B | 8.5  | 11  |     | 23   | 1.2  | 2.3    |
 * | 4 ranks, 8 KiB | 100  | 77  | 83  | 107  | 255  |        |
 * | 8 ranks, 8 KiB | 284  | 385 | 213 | 231  | 530  |        |
 */
export function spinsFor(worldSize: number, cores: number): number {
  return worldSize <= cores ? 20_000 : 50;
}
