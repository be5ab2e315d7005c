// The process behind fragments.mjs: takes scattered memory, says how much, and keeps it as long as its parent wants.
import { scatteredBytes } from "./free-blocks.mjs";

const mostAtOnce = 2 ** 28;

const held = [];

process.on("message", ({ atMost }) => {
  const bytes = Math.min(scatteredBytes(), Math.floor(atMost));
  for (let taken = 0; taken < bytes; taken += mostAtOnce) {
    // A page is only taken when it is written.
    held.push(Buffer.alloc(Math.min(mostAtOnce, bytes - taken), 1));
  }
  process.send({ bytes });
});
process.on("disconnect", () => process.exit());
