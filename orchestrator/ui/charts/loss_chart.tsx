// The live loss chart: uPlot for the curves, one accumulating store, and the same data as a table and a sentence.
import { ChartLine, Table2 } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { cn } from "../primitives/cn";
import { figure, number } from "../primitives/format";
import { draw, themeOf, type Look } from "./loss_plot";
import { Curves, smooth, type Batch, type History } from "./series";

type Props = {
  points?: Batch;
  history?: History | string;
  totalSteps?: number;
  series?: number;
  trainKey?: string;
  evalKey?: string;
  title?: string;
  live?: boolean;
  smoothing?: number;
  height?: number;
  stopWord?: string;
  onGap?: (lastSeq: number) => void;
  className?: string;
};

export function LossChart({
  points,
  history,
  totalSteps = 0,
  series = 1,
  trainKey = "loss",
  evalKey = "eval_loss",
  title = "Loss",
  live = true,
  smoothing = 0.9,
  height = 360,
  stopWord = "",
  onGap,
  className,
}: Props) {
  const curves = useMemo(() => new Curves(), []);
  const root = useRef<HTMLDivElement>(null);
  const ground = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const look = useRef<Look>({ weight: smoothing, log: false, total: totalSteps, live, stopWord, train: [], raw: [], val: [] });
  const frame = useRef(0);
  const [weight, setWeight] = useState(smoothing);
  const [log, setLog] = useState(false);
  const [table, setTable] = useState(false);
  const [said, setSaid] = useState({ points: 0, last: "", step: 0, val: "" });

  const paint = () => {
    frame.current = 0;
    const [steps, raw] = curves.line(trainKey);
    const [valSteps, valValues] = curves.line(evalKey);
    const soft = smooth(raw, look.current.weight);
    const all = [...new Set([...steps, ...valSteps])].sort((a, b) => a - b);
    const at = new Map(all.map((step, place) => [step, place]));
    const spread = (xs: number[], ys: number[]) => {
      const out: (number | null | undefined)[] = new Array(all.length).fill(undefined);
      xs.forEach((x, place) => (out[at.get(x) as number] = ys[place]));
      return out;
    };
    look.current.lastStep = curves.lastStep;
    plot.current?.setData([all, spread(steps, raw), spread(steps, soft), spread(valSteps, valValues)] as uPlot.AlignedData);
    const last = raw.length - 1;
    setSaid({
      points: raw.length + valValues.length,
      step: curves.lastStep,
      last: last >= 0 ? figure(soft[last]) : "",
      val: valValues.length ? figure(valValues[valValues.length - 1]) : "",
    });
  };
  const due = () => {
    if (root.current) {
      root.current.dataset.lastStep = String(curves.lastStep);
      root.current.dataset.pointCount = String(curves.count);
      root.current.dataset.lastSeq = String(curves.lastSeq);
      root.current.dataset.arrived = String(Date.now());
    }
    // A hidden tab gets no frames: the store still takes every point, and one frame draws them all later.
    if (!frame.current) frame.current = requestAnimationFrame(paint);
  };

  useEffect(() => {
    if (!ground.current) return;
    const made = draw(ground.current, look.current, series, height);
    plot.current = made;
    const size = new ResizeObserver(([entry]) =>
      made.setSize({ width: Math.max(160, entry.contentRect.width), height: Math.max(120, entry.contentRect.height) }),
    );
    size.observe(ground.current);
    const theme = new MutationObserver(() => {
      Object.assign(look.current, themeOf(ground.current as HTMLElement, series));
      made.redraw(false);
    });
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
    due();
    return () => {
      size.disconnect();
      theme.disconnect();
      cancelAnimationFrame(frame.current);
      frame.current = 0;
      made.destroy();
      plot.current = null;
    };
  }, [series, height, table]);

  useEffect(() => {
    if (!history) return;
    if (typeof history !== "string") {
      curves.fill(history);
      due();
      return;
    }
    const stop = new AbortController();
    fetch(history, { signal: stop.signal, headers: { accept: "application/json" } })
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
      .then((body) => {
        curves.fill(body.series ?? body);
        due();
      })
      .catch(() => undefined);
    return () => stop.abort();
  }, [history]);

  useEffect(() => {
    if (!points || !points.seq) return;
    const hole = curves.take(points);
    due();
    if (hole !== null) onGap?.(hole);
  }, [points]);

  useEffect(() => {
    Object.assign(look.current, { weight, log, total: totalSteps, live, stopWord });
    due();
  }, [weight, log, totalSteps, live, stopWord]);

  const facts = [said.last && `training ${said.last}${weight > 0 ? " (smoothed)" : ""}`, said.val && `validation ${said.val}`].filter(Boolean);
  const summary = said.points
    ? `${title}: ${number(said.points)} points up to step ${number(said.step)}${totalSteps ? ` of ${number(totalSteps)}` : ""}; ${facts.join(", ")}.`
    : `${title}: no points yet.`;
  // The plot lies over its place, which is `height` or what a taller card leaves, and so never stretches it.
  const square =
    "inline-flex h-7 min-w-7 cursor-pointer items-center justify-center rounded-md border px-2 text-xs focus-ring hover:text-foreground aria-pressed:border-input aria-pressed:text-foreground tap";
  return (
    <div ref={root} data-loss-chart data-last-step="0" data-point-count="0" data-last-seq="0" className={cn("flex h-full min-w-0 flex-col", className)}>
      <div className="mb-3 flex min-h-7 flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <h2 className="text-sm font-semibold">{title}</h2>
        <div className="flex items-center gap-2 text-xs text-muted-foreground">
          <label className="flex items-center gap-2">
            <span>Smoothing</span>
            <input
              type="range"
              min={0}
              max={0.99}
              step={0.01}
              value={weight}
              onChange={(event) => setWeight(Number(event.target.value))}
              className="h-7 w-20 cursor-pointer accent-(--muted-foreground) focus-ring touch:h-11"
            />
            <span className="w-8 tabular text-foreground">{weight.toFixed(2)}</span>
          </label>
          <button type="button" aria-pressed={log} onClick={() => setLog(!log)} className={cn(square, "border-border")}>
            Log
          </button>
          <button type="button" aria-pressed={table} aria-label={table ? "Show as chart" : "Show as table"} onClick={() => setTable(!table)} className={cn(square, "border-transparent px-0")}>
            {table ? <ChartLine aria-hidden className="size-4" /> : <Table2 aria-hidden className="size-4" />}
          </button>
        </div>
      </div>
      <Legend series={series} train={trainKey !== "none"} smoothed={weight > 0} val={evalKey !== "none"} />
      <p className="sr-only">{summary}</p>
      {table ? (
        <DataTable curves={curves} trainKey={trainKey} evalKey={evalKey} height={height} title={title} />
      ) : (
        <div className="relative flex-1" style={{ minHeight: height }}>
          <div ref={ground} aria-hidden className="absolute inset-0" />
          {said.points === 0 && (
            <p className="pointer-events-none absolute inset-0 flex items-center justify-center text-sm text-muted-foreground">
              {live ? "The first point appears here as soon as it is logged." : "This job logged no points."}
            </p>
          )}
        </div>
      )}
    </div>
  );
}

function Legend({ series, train, smoothed, val }: { series: number; train: boolean; smoothed: boolean; val: boolean }) {
  const color = `var(--series-${series})`;
  const item = "flex items-center gap-1.5";
  return (
    <ul className="mb-2 flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted-foreground">
      {train && (
        <li className={item}>
          <span aria-hidden className="h-[3px] w-4 rounded-full" style={{ background: color }} /> {smoothed ? "Train, smoothed" : "Train"}
        </li>
      )}
      {train && smoothed && (
        <li className={item}>
          <span aria-hidden className="h-px w-4 opacity-60" style={{ background: color }} /> Train, raw
        </li>
      )}
      {val && (
        <li className={item}>
          <span aria-hidden className="size-2 rounded-full border-2 border-foreground" /> Validation
        </li>
      )}
    </ul>
  );
}

function DataTable({ curves, trainKey, evalKey, height, title }: { curves: Curves; trainKey: string; evalKey: string; height: number; title: string }) {
  const [steps, values] = curves.line(trainKey);
  const val = curves.steps.get(evalKey);
  const shown = 200;
  const from = Math.max(0, steps.length - shown);
  return (
    <div tabIndex={0} role="region" aria-label={`${title} as a table`} className="overflow-auto rounded-lg border border-border focus-ring" style={{ height }}>
      <table className="w-full text-xs">
        <caption className="px-3 py-2 text-left text-muted-foreground">{`The newest ${number(steps.length - from)} of ${number(steps.length)} steps`}</caption>
        <thead className="sticky top-0 bg-card text-muted-foreground">
          <tr>
            {["Step", "Train", "Validation"].map((head) => (
              <th key={head} scope="col" className="px-3 py-2 text-right font-medium">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="font-mono tabular">
          {steps
            .slice(from)
            .map((step, place) => (
              <tr key={step} className="border-t border-border">
                <td className="px-3 py-1 text-right">{number(step)}</td>
                <td className="px-3 py-1 text-right">{figure(values[from + place])}</td>
                <td className="px-3 py-1 text-right">{val?.has(step) ? figure(val.get(step) as number) : ""}</td>
              </tr>
            ))
            .reverse()}
        </tbody>
      </table>
    </div>
  );
}
