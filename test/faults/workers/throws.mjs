import { faultyRank } from "./faulty-rank.mjs";

/** The rank finds its request malformed, and says so, while its peers compute. */
export const serveRank = faultyRank({ rank: 1, step: 3 }, (request) => {
  for (const row of request.rows) row.sequence = -1;
});
