// Numbers, sizes and times as people read them; one place, so that every page says them alike.
const THIN = "\u202f";
const NBSP = "\u00a0";

export function number(value: number, digits = 0): string {
  if (!Number.isFinite(value)) return "–";
  return value.toLocaleString("en-US", { minimumFractionDigits: 0, maximumFractionDigits: digits }).replace("-", "\u2212");
}
/** At most three decimals; small ones in powers, as learning rates are. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(1).replace(".0e", "e").replace("-", "\u2212").replace(/e\u2212?-?0*/, "e-");
  return value.toLocaleString("en-US", { minimumFractionDigits: Math.abs(value) < 100 ? 3 : 1, maximumFractionDigits: 3 }).replace("-", "\u2212");
}
export function percent(value: number, digits = 0): string {
  return Number.isFinite(value) ? `${number(value, digits)}${THIN}%` : "–";
}
export function bytes(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = Math.abs(value);
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${number(size, unit === 0 || size >= 100 ? 0 : 1)}${NBSP}${units[unit]}`;
}
export function compact(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) < 10_000) return number(value);
  const [size, word] = value >= 1e9 ? [value / 1e9, "B"] : value >= 1e6 ? [value / 1e6, "M"] : [value / 1e3, "k"];
  return `${number(size, size < 10 ? 2 : 1)}${NBSP}${word}`;
}
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "–";
  if (seconds < 1) return `${Math.round(seconds * 1000)}${NBSP}ms`;
  if (seconds < 60) return `${number(seconds, seconds < 10 ? 1 : 0)}${NBSP}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes}${NBSP}min`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 ? `${hours}${NBSP}h ${minutes % 60}${NBSP}min` : `${hours}${NBSP}h`;
}
/** "4 min ago", "in 3 h", "12 Nov". */
export function relative(then: Date, now: Date): string {
  const gap = (now.getTime() - then.getTime()) / 1000;
  const say = (text: string) => (gap >= 0 ? `${text} ago` : `in ${text}`);
  const size = Math.abs(gap);
  if (size < 10) return "just now";
  if (size < 60) return say(`${Math.floor(size)}${NBSP}s`);
  if (size < 3600) return say(`${Math.floor(size / 60)}${NBSP}min`);
  if (size < 86400) return say(`${Math.floor(size / 3600)}${NBSP}h`);
  if (gap > 0 && size < 2 * 86400) return "yesterday";
  if (size < 7 * 86400) return say(`${Math.floor(size / 86400)} days`);
  const sameYear = then.getFullYear() === now.getFullYear();
  return then.toLocaleDateString("en-GB", { day: "numeric", month: "short", ...(sameYear ? {} : { year: "numeric" }) });
}
export function exact(then: Date): string {
  return then.toLocaleString("en-GB", { dateStyle: "long", timeStyle: "medium" });
}
/** An ISO time; one without a zone is UTC, as the server writes them. */
export function parseTime(iso: string): Date {
  return new Date(/(z|[+-]\d\d:?\d\d)$/i.test(iso) ? iso : `${iso.replace(" ", "T")}Z`);
}
