import { expect, it } from "vitest";
import { clearShardCache, listShardCache } from "./shard-cache.js";

it.each([listShardCache, clearShardCache])(
  "%o refuses anything but a path, instead of finding nothing there",
  (call) => {
    for (const directory of ["", 5, null]) {
      expect(() => call(directory as string)).toThrow(
        expect.objectContaining({
          code: "RR_OPTION",
          message: expect.stringContaining("directory: expected a path"),
        }),
      );
    }
  },
);
