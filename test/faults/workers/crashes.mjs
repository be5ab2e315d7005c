import { faultyRank } from "./faulty-rank.mjs";

export const serveRank = faultyRank({ rank: 1, step: 3 }, () => {
  throw new Error("nobody catches this");
});
