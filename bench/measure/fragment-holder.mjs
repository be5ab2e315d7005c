// The process behind fragments.mjs: allocates scattered memory, reports how much, and keeps it until its parent
// disconnects.
import { scatteredBytes } from "./free-blocks.mjs";

const mostAtOnce = 2 ** 28;

const held = [];

process.on("message", ({ atMost }) => {
  const bytes = Math.min(scatteredBytes(), Math.floor(atMost));
  for (let taken = 0; taken < bytes; taken += mostAtOnce) {
    // A page is only allocated when it is written.
    held.push(Buffer.alloc(Math.min(mostAtOnce, bytes - taken), 1));
  }
  process.send({ bytes });
});
process.on("disconnect", () => process.exit());
