import { faultyRank } from "./faulty-rank.mjs";

export const serveRank = faultyRank({ rank: 1, step: 3 }, () => process.exit(3));
