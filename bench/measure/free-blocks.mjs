import { existsSync, readFileSync } from "node:fs";

const list = "/proc/buddyinfo";

const pageBytes = 4096;

/** The size of a block in pages, as a power of two, from which on size makes no difference: 2 MB, a huge page. */
const longEnough = 9;

/** The bytes of free memory in blocks smaller than 2 MB; 0 if the system does not report them. */
export function scatteredBytes(text = existsSync(list) ? readFileSync(list, "utf8") : "") {
  let bytes = 0;
  for (const [, counts] of text.matchAll(/^Node\s+\d+, zone\s+\S+\s+(.*)$/gm)) {
    for (const [order, count] of counts.trim().split(/\s+/).slice(0, longEnough).entries()) {
      bytes += Number(count) * pageBytes * 2 ** order;
    }
  }
  return bytes;
}
