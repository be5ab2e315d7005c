import { expect, it } from "vitest";
import { ChatTemplate } from "./chat-template.js";
import { strftime } from "./strftime.js";

const morning = new Date(2026, 2, 5, 9, 4, 7);
const evening = new Date(2024, 11, 31, 12, 0, 0);

// The results of datetime.strftime in Python 3.11.
it.each([
  ["%d %b %Y", "05 Mar 2026", "31 Dec 2024"],
  ["%A, %B %-d, %Y", "Thursday, March 5, 2026", "Tuesday, December 31, 2024"],
  ["%Y-%m-%d %H:%M:%S", "2026-03-05 09:04:07", "2024-12-31 12:00:00"],
  ["%F %T|%D|%R", "2026-03-05 09:04:07|03/05/26|09:04", "2024-12-31 12:00:00|12/31/24|12:00"],
  ["%I:%M %p %-I", "09:04 AM 9", "12:00 PM 12"],
  ["%e|%j|%y|%a|%u|%w|%%", " 5|064|26|Thu|4|4|%", "31|366|24|Tue|2|2|%"],
  ["é 100", "é 100", "é 100"],
])("%j formats two times as %j and %j", (format, first, second) => {
  expect([strftime(morning, format), strftime(evening, format)]).toEqual([first, second]);
});

it.each(["%Q", "%", "%-F"])("refuses an unknown directive: %s", (format) => {
  expect(() => strftime(morning, format)).toThrow("strftime_now does not know");
});

it("a template writes the current time", () => {
  const template = new ChatTemplate("{{ strftime_now('%A %Y') }}", {}, "the test");
  const [before, written, after] = [
    strftime(new Date(), "%A %Y"),
    template.render([]),
    strftime(new Date(), "%A %Y"),
  ];
  expect([before, after]).toContain(written);
});
