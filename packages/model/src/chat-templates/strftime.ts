const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const months = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
];

type Field = readonly [value: (time: Date) => number | string, width?: number, padding?: string];

const hourOfTwelve = (time: Date): number => time.getHours() % 12 || 12;

/** By directive: a number with its number of digits, or a text. */
const fields: Readonly<Record<string, Field>> = {
  a: [(time) => days[time.getDay()]!.slice(0, 3)],
  A: [(time) => days[time.getDay()]!],
  b: [(time) => months[time.getMonth()]!.slice(0, 3)],
  B: [(time) => months[time.getMonth()]!],
  d: [(time) => time.getDate(), 2],
  e: [(time) => time.getDate(), 2, " "],
  H: [(time) => time.getHours(), 2],
  I: [hourOfTwelve, 2],
  j: [dayOfYear, 3],
  m: [(time) => time.getMonth() + 1, 2],
  M: [(time) => time.getMinutes(), 2],
  p: [(time) => (time.getHours() < 12 ? "AM" : "PM")],
  S: [(time) => time.getSeconds(), 2],
  u: [(time) => time.getDay() || 7],
  w: [(time) => time.getDay()],
  y: [(time) => time.getFullYear() % 100, 2],
  Y: [(time) => time.getFullYear(), 4],
  "%": [() => "%"],
};
const composed = new Map([
  ["D", "%m/%d/%y"],
  ["F", "%Y-%m-%d"],
  ["R", "%H:%M"],
  ["T", "%H:%M:%S"],
]);

/**
 * A local time as formatted by Python's `strftime`, in English. `%-d` is a number without padding.
 *
 * @throws Error for an unknown directive
 */
export function strftime(time: Date, format: string): string {
  return format.replace(/%(-?)(.?)/gsu, (directive, plain: string, name: string) => {
    const parts = composed.get(name);
    if (parts !== undefined && plain === "") return strftime(time, parts);
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) throw new Error(`strftime_now does not know ${directive} in "${format}"`);
    const [value, width = 0, padding = "0"] = field;
    return plain === "" ? String(value(time)).padStart(width, padding) : String(value(time));
  });
}

function dayOfYear(time: Date): number {
  const day = Date.UTC(time.getFullYear(), time.getMonth(), time.getDate());
  return (day - Date.UTC(time.getFullYear(), 0, 0)) / 86_400_000;
}
