// Values that the browser words: relative times that keep true by themselves, and numbers in the product's form.
import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { buttonClasses } from "./button";
import { bytes, compact, duration, exact, figure, number, parseTime, percent, relative } from "./format";

export function RelativeTime({ iso, className }: { iso?: string; className?: string }) {
  const [now, setNow] = useState<Date | null>(null);
  useEffect(() => {
    setNow(new Date());
    const timer = window.setInterval(() => setNow(new Date()), 15_000);
    return () => window.clearInterval(timer);
  }, [iso]);
  if (!iso) return <span className={className}>–</span>;
  const then = parseTime(iso);
  if (Number.isNaN(then.getTime())) return <span className={className}>–</span>;
  return (
    <time dateTime={iso} title={now ? exact(then) : undefined} className={className}>
      {now ? relative(then, now) : "\u00a0"}
    </time>
  );
}

/** "10:07", or "3 Dec, 10:07" on another day than today. */
export function ClockTime({ iso, className }: { iso?: string; className?: string }) {
  const [ready, setReady] = useState(false);
  useEffect(() => setReady(true), []);
  const then = iso ? parseTime(iso) : new Date(Number.NaN);
  if (Number.isNaN(then.getTime())) return <span className={className}>–</span>;
  const time = then.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const today = then.toDateString() === new Date().toDateString();
  return (
    <time dateTime={iso} title={ready ? exact(then) : undefined} className={className}>
      {ready ? (today ? time : `${then.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${time}`) : "\u00a0"}
    </time>
  );
}

const forms = { number, figure, percent, bytes, compact, duration };

export function Value({ value, form = "number", digits, empty = "–", className }: { value?: number | null; form?: keyof typeof forms; digits?: number; empty?: string; className?: string }) {
  const known = value !== undefined && value !== null && !Number.isNaN(value);
  const word = forms[form] as (value: number, digits?: number) => string;
  return <span className={className}>{known ? word(Number(value), digits) : empty}</span>;
}

type CopyProps = {
  /** Empty: the address of the page as it is now. */
  text: string;
  label?: string;
  shown?: string;
  /** Looks like the other buttons of a page; its width stays when it was pressed. */
  button?: boolean;
  className?: string;
};

/** Puts a text on the clipboard. */
export async function toClipboard(wanted: string) {
  try {
    await navigator.clipboard.writeText(wanted);
  } catch {
    // No clipboard without https: an old way still works.
    const box = document.createElement("textarea");
    box.value = wanted;
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
}

export function CopyText({ text, label = "Copy", shown, button = false, className }: CopyProps) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    const wanted = text || window.location.href;
    await toClipboard(wanted);
    setDone(true);
    window.setTimeout(() => setDone(false), 1600);
  };
  const sign = done ? <Check aria-hidden className="size-3.5 text-success" /> : <Copy aria-hidden className="size-3.5" />;
  if (button)
    return (
      <button type="button" onClick={copy} className={buttonClasses({ className })}>
        {sign}
        {label}
        <span aria-live="polite" className="sr-only">
          {done ? "Copied" : ""}
        </span>
      </button>
    );
  return (
    <button
      type="button"
      onClick={copy}
      className={`inline-flex items-center gap-1.5 rounded-md border border-transparent text-xs text-muted-foreground focus-ring hover:text-foreground tap ${className || ""}`}
    >
      {shown && <span className="font-mono">{shown}</span>}
      {sign}
      <span aria-live="polite" className={shown ? "sr-only" : ""}>
        {done ? "Copied" : label}
      </span>
    </button>
  );
}
