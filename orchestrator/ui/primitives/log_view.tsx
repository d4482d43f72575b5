// The tail of a log: follows the newest line until you scroll up, and takes up again when you return.
import { Pause, Play } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { cn } from "./cn";
import { number, parseTime } from "./format";

type Line = { time?: string; level?: string; text: string };
type Props = { lines?: Line[]; height?: string; empty?: string; label?: string; mark?: string; pausable?: boolean; className?: string };

const levels: Record<string, string> = {
  eval: "text-info",
  save: "text-success",
  warn: "text-warning",
  warning: "text-warning",
  err: "text-destructive",
  error: "text-destructive",
  critical: "text-destructive",
};

function clock(time?: string) {
  if (!time) return "";
  if (/^\d\d:\d\d/.test(time)) return time.slice(0, 8);
  const then = parseTime(time);
  return Number.isNaN(then.getTime()) ? "" : then.toLocaleTimeString("en-GB");
}

/** The searched words inside a line, shown where they stand. */
function Marked({ text, mark }: { text: string; mark: string }) {
  const at = mark ? text.toLowerCase().indexOf(mark.toLowerCase()) : -1;
  if (at < 0) return <>{text}</>;
  return (
    <>
      {text.slice(0, at)}
      <mark className="rounded-xs bg-warning/25 text-foreground">{text.slice(at, at + mark.length)}</mark>
      <Marked text={text.slice(at + mark.length)} mark={mark} />
    </>
  );
}

export function LogView({ lines = [], height = "18rem", empty = "No lines yet.", label = "Log", mark = "", pausable = false, className }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const [paused, setPaused] = useState<Line[] | null>(null);
  const [ready, setReady] = useState(false);
  useEffect(() => setReady(true), []);
  const shown = paused ?? lines;
  const waiting = paused ? Math.max(0, lines.length - paused.length) : 0;
  const newest = shown.length ? `${shown.length}${shown[shown.length - 1].text}` : "";
  useEffect(() => {
    if (following && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [newest, following]);
  const watch = () => {
    const at = box.current;
    if (at) setFollowing(at.scrollHeight - at.scrollTop - at.clientHeight < 24);
  };
  const small = "inline-flex items-center gap-1.5 rounded-md border border-border bg-popover px-2.5 py-1 text-xs shadow-float focus-ring tap";
  return (
    <div className={cn("relative", className)}>
      <div
        ref={box}
        onScroll={watch}
        tabIndex={0}
        role="log"
        aria-label={label}
        style={{ maxHeight: height }}
        className="overflow-auto rounded-lg border border-transparent bg-background px-3 py-2.5 font-mono text-xs leading-5 focus-ring"
      >
        {shown.length === 0 && <p className="text-muted-foreground">{empty}</p>}
        {shown.map((line, place) => {
          const level = (line.level || "info").toLowerCase();
          const bad = level.startsWith("err") || level === "critical";
          return (
            <div key={place} className="flex gap-3">
              {line.time && <span className="shrink-0 text-muted-foreground max-sm:hidden">{ready ? clock(line.time) : ""}</span>}
              <span className={cn("w-10 shrink-0 uppercase", levels[level] || "text-muted-foreground")}>{level.slice(0, 5)}</span>
              <span className={cn("min-w-0 whitespace-pre-wrap break-words", bad && "text-destructive")}>
                <Marked text={line.text} mark={mark} />
              </span>
            </div>
          );
        })}
      </div>
      <div className="absolute bottom-3 right-3 flex gap-2">
        {pausable && (
          <button type="button" aria-pressed={paused !== null} onClick={() => setPaused(paused ? null : lines)} className={small}>
            {paused ? <Play aria-hidden className="size-3.5" /> : <Pause aria-hidden className="size-3.5" />}
            {paused ? (waiting ? `Resume, ${number(waiting)} new` : "Resume") : "Pause"}
          </button>
        )}
        {!following && (
          <button type="button" onClick={() => setFollowing(true)} className={small}>
            Newest lines
          </button>
        )}
      </div>
    </div>
  );
}
