import { expect, test } from "vitest";
import { GumbelNoise, maximumNoise } from "./noise.js";

test("noise has the mean and variance of the Gumbel distribution", () => {
  const noise = new GumbelNoise(1, 2);
  const values = Array.from({ length: 20_000 }, (_, id) => noise.of(id));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  // Euler's constant and π²/6; four standard errors of 20 000 draws.
  expect([mean]).toBeAllclose([0.5772], { rtol: 0, atol: 0.037 });
  expect([variance]).toBeAllclose([Math.PI ** 2 / 6], { rtol: 0, atol: 0.1 });
});

test("adjacent ids, positions and seeds are uncorrelated", () => {
  const ids = Array.from({ length: 5000 }, (_, id) => id);
  const series = (noise: (index: number) => number) => ids.map((id) => Math.exp(-Math.exp(-noise(id))) - 0.5);
  const here = series((id) => new GumbelNoise(3, 4).of(id));
  const others = [
    series((id) => new GumbelNoise(3, 4).of(id + 1)),
    series((id) => new GumbelNoise(3, 5).of(id)),
    series((id) => new GumbelNoise(4, 4).of(id)),
    series((id) => new GumbelNoise(3, id).of(7)),
  ];
  for (const other of others) {
    const correlation = here.reduce((sum, value, at) => sum + value * other[at]!, 0) / ids.length / (1 / 12);
    // Four standard errors of 5000 draws.
    expect(Math.abs(correlation)).toBeLessThan(0.057);
  }
});

test("no noise exceeds the bound that pruning relies on", () => {
  const noise = new GumbelNoise(9, 9);
  const largest = Math.max(...Array.from({ length: 50_000 }, (_, id) => noise.of(id)));
  expect(largest).toBeLessThanOrEqual(maximumNoise);
  expect(Number.isFinite(maximumNoise)).toBe(true);
});

test("no noise reaches a height that is ruled out, and few ids pass for a great height", () => {
  const noise = new GumbelNoise(5, 6);
  const ids = Array.from({ length: 50_000 }, (_, id) => id);
  for (const height of [0, 0.3, 1, 2.7, 5, 9.9, 22, maximumNoise]) {
    const may = new Set(ids.filter((id) => noise.mayReach(id, height)));
    expect(ids.filter((id) => noise.of(id) >= height && !may.has(id))).toEqual([]);
    expect(may.size / ids.length).toBeLessThan(1.5 * Math.exp(-Math.floor(height)) + 1e-3);
  }
});
