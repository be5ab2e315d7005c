import { faultyRank } from "./faulty-rank.mjs";

export const serveRank = faultyRank({ rank: 0, step: 3 }, loopForever);

function loopForever() {
  for (;;);
}
