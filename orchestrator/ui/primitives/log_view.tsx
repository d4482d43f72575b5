// The tail of a log: follows the newest line until you scroll up, and takes up again when you return.
import { useEffect, useRef, useState } from "react";
import { cn } from "./cn";
import { parseTime } from "./format";

type Line = { time?: string; level?: string; text: string };

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

export function LogView({ lines = [], height = "18rem", empty = "No lines yet.", label = "Log", className }: { lines?: Line[]; height?: string; empty?: string; label?: string; className?: string }) {
  const box = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const [ready, setReady] = useState(false);
  useEffect(() => setReady(true), []);
  const newest = lines.length ? `${lines.length}${lines[lines.length - 1].text}` : "";
  useEffect(() => {
    if (following && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [newest, following]);
  const watch = () => {
    const at = box.current;
    if (at) setFollowing(at.scrollHeight - at.scrollTop - at.clientHeight < 24);
  };
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
        {lines.length === 0 && <p className="text-muted-foreground">{empty}</p>}
        {lines.map((line, place) => {
          const level = (line.level || "info").toLowerCase();
          const bad = level.startsWith("err") || level === "critical";
          return (
            <div key={place} className="flex gap-3">
              {line.time && <span className="shrink-0 text-muted-foreground max-sm:hidden">{ready ? clock(line.time) : ""}</span>}
              <span className={cn("w-10 shrink-0 uppercase", levels[level] || "text-muted-foreground")}>{level.slice(0, 5)}</span>
              <span className={cn("min-w-0 whitespace-pre-wrap break-words", bad && "text-destructive")}>{line.text}</span>
            </div>
          );
        })}
      </div>
      {!following && (
        <button
          type="button"
          onClick={() => setFollowing(true)}
          className="absolute bottom-3 right-3 rounded-md border border-border bg-popover px-2.5 py-1 text-xs shadow-float focus-ring tap"
        >
          Newest lines
        </button>
      )}
    </div>
  );
}
