/**
 * How often a rank looks at a peer's counter before it sleeps on it.
 *
 * A sleep and its wake cost some tens of microseconds; a spin costs nothing but the core it runs on. Where every
 * rank has a core, spinning is worth about as long as a decode segment lasts. Where ranks share cores, whoever
 * spins keeps the one it waits for from running, so it sleeps almost at once.
 */
export function spinsFor(worldSize: number, cores: number): number {
  return worldSize <= cores ? 20_000 : 50;
}
