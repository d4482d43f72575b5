// The live loss chart: uPlot for the curves, one accumulating store, and the same data as a table and a sentence.
import { ChartLine, Table2, ZoomOut } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { cn } from "../primitives/cn";
import { number } from "../primitives/format";
import { DataTable, Legend } from "./chart_parts";
import { ChartTools, square } from "./chart_tools";
import { clock, draw, formatValue, themeOf, type Axis, type PlotView, type Unit } from "./loss_plot";
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
  /** Pixels of the window that are needed around the plot: it is then no higher than what is left. */
  around?: number;
  stopWord?: string;
  trainWord?: string;
  evalWord?: string;
  unit?: Unit;
  axis?: Axis;
  refine?: string;
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
  around = 0,
  stopWord = "",
  trainWord = "Train",
  evalWord = "Validation",
  unit = "",
  axis = "step",
  refine,
  onGap,
  className,
}: Props) {
  const curves = useMemo(() => new Curves(), []);
  const root = useRef<HTMLDivElement>(null);
  const ground = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const view = useRef<PlotView>({ weight: smoothing, log: false, total: totalSteps, live, stopWord, unit, x: axis, labels: { train: trainWord, validation: evalWord }, zoom: null });
  const frame = useRef(0);
  const [weight, setWeight] = useState(smoothing);
  const [log, setLog] = useState(false);
  const [table, setTable] = useState(false);
  const [zoomed, setZoomed] = useState(false);
  const [latest, setLatest] = useState({ points: 0, last: "", step: 0, val: "" });

  const paint = () => {
    frame.current = 0;
    const [steps, raw] = curves.line(trainKey);
    const [valSteps, valValues] = curves.line(evalKey);
    const smoothed = smooth(raw, view.current.weight);
    const all = [...new Set([...steps, ...valSteps])].sort((a, b) => a - b);
    const at = new Map(all.map((step, place) => [step, place]));
    const spread = (xs: number[], ys: number[]) => {
      const out: (number | null | undefined)[] = new Array(all.length).fill(undefined);
      xs.forEach((x, place) => (out[at.get(x) as number] = ys[place]));
      return out;
    };
    view.current.lastStep = curves.lastStep;
    plot.current?.setData([all, spread(steps, raw), spread(steps, smoothed), spread(valSteps, valValues)] as uPlot.AlignedData);
    const last = raw.length - 1;
    setLatest({
      points: raw.length + valValues.length,
      step: curves.lastStep,
      last: last >= 0 ? formatValue(smoothed[last], unit) : "",
      val: valValues.length ? formatValue(valValues[valValues.length - 1], unit) : "",
    });
  };
  const schedulePaint = () => {
    if (root.current) {
      root.current.dataset.lastStep = String(curves.lastStep);
      root.current.dataset.pointCount = String(curves.count);
      root.current.dataset.lastSeq = String(curves.lastSeq);
      root.current.dataset.arrived = String(Date.now());
    }
    // A hidden tab gets no animation frames: points are still stored, and drawn together later.
    if (!frame.current) frame.current = requestAnimationFrame(paint);
  };

  // A zoomed part is fetched from the server with the points that the overview leaves out.
  view.current.onZoom = (zoom) => {
    setZoomed(zoom !== null);
    if (!zoom || !refine) return;
    const [from, to] = [Math.max(0, Math.floor(zoom[0])), Math.ceil(zoom[1])];
    const names = [trainKey, evalKey].filter((key) => key !== "none").join(",");
    fetch(`${refine}?series=${names}&first_step=${from}&last_step=${to}&points=2000`, { headers: { accept: "application/json" } })
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
      .then((body) => {
        curves.fill(body.series);
        schedulePaint();
      })
      .catch(() => undefined);
  };
  const zoomOut = () => {
    view.current.zoom = null;
    setZoomed(false);
    schedulePaint();
  };

  useEffect(() => {
    if (!ground.current) return;
    const made = draw(ground.current, view.current, series, height);
    plot.current = made;
    const size = new ResizeObserver(([entry]) =>
      made.setSize({ width: Math.max(160, entry.contentRect.width), height: Math.max(120, entry.contentRect.height) }),
    );
    size.observe(ground.current);
    const theme = new MutationObserver(() => {
      Object.assign(view.current, themeOf(ground.current as HTMLElement, series));
      made.redraw(false);
    });
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
    schedulePaint();
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
      schedulePaint();
      return;
    }
    const stop = new AbortController();
    fetch(history, { signal: stop.signal, headers: { accept: "application/json" } })
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
      .then((body) => {
        curves.fill(body.series ?? body);
        schedulePaint();
      })
      .catch(() => undefined);
    return () => stop.abort();
  }, [history]);

  useEffect(() => {
    if (!points || !points.seq) return;
    const gap = curves.addBatch(points);
    schedulePaint();
    if (gap !== null) onGap?.(gap);
  }, [points]);

  useEffect(() => {
    Object.assign(view.current, { weight, log, total: totalSteps, live, stopWord });
    schedulePaint();
  }, [weight, log, totalSteps, live, stopWord]);

  // In the words of the legend; a long run is drawn with fewer points than it has steps, so points are not counted.
  const facts = [latest.last && `${trainWord} ${latest.last}${weight > 0 ? " (smoothed)" : ""}`, latest.val && `${evalWord} ${latest.val}`].filter(Boolean);
  const until = axis === "seconds" ? `the first ${clock(latest.step)}` : `up to step ${number(latest.step)}${totalSteps ? ` of ${number(totalSteps)}` : ""}`;
  const summary = latest.points ? `${title}, ${until}: ${facts.join(", ")}.` : `${title}: no points yet.`;
  // The plot is positioned over its container, which is `height` or the rest of a taller card, and so never stretches it.
  return (
    <div ref={root} data-loss-chart data-last-step="0" data-point-count="0" data-last-seq="0" className={cn("group/chart flex h-full min-w-0 flex-col [&:fullscreen]:bg-card [&:fullscreen]:p-8", className)}>
      <div className="mb-3 flex min-h-7 flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <h2 className="text-sm font-semibold">{title}</h2>
        <div className="flex items-center gap-2 text-xs text-muted-foreground">
          {zoomed && (
            <button type="button" onClick={zoomOut} className={cn(square, "gap-1.5 border-border")}>
              <ZoomOut aria-hidden className="size-3.5" /> Whole curve
            </button>
          )}
          <label className={cn("flex items-center gap-2", trainKey === "none" && "hidden")}>
            <span className={cn("max-sm:sr-only", height < 300 && "sr-only")}>Smoothing</span>
            <input
              type="range"
              min={0}
              max={0.99}
              step={0.01}
              value={weight}
              onChange={(event) => setWeight(Number(event.target.value))}
              title="Smoothing"
              className="h-7 w-20 cursor-pointer accent-(--muted-foreground) focus-ring touch:h-11"
            />
            <span className="w-8 tabular text-foreground">{weight.toFixed(2)}</span>
          </label>
          {unit === "" && (
            <button type="button" aria-pressed={log} onClick={() => setLog(!log)} title="Logarithmic axis" className={cn(square, "border-border")}>
              Log scale
            </button>
          )}
          <button type="button" aria-pressed={table} aria-label={table ? "Show as chart" : "Show as table"} onClick={() => setTable(!table)} className={cn(square, "border-transparent px-0")}>
            {table ? <ChartLine aria-hidden className="size-4" /> : <Table2 aria-hidden className="size-4" />}
          </button>
          <ChartTools root={root} plot={plot} curves={curves} title={title} columns={[[trainKey, trainWord], [evalKey, evalWord]]} axis={axis} />
        </div>
      </div>
      <Legend series={series} train={trainKey !== "none" ? trainWord : ""} smoothed={weight > 0} val={evalKey !== "none" ? evalWord : ""} dots={axis === "step"} />
      <p className="sr-only">{summary}</p>
      {table ? (
        <DataTable curves={curves} trainKey={trainKey} evalKey={evalKey} height={height} title={title} columns={[axis === "step" ? "Step" : "Second", trainWord, evalWord]} unit={unit} />
      ) : (
        <div className="relative flex-1" style={{ minHeight: around ? `min(100vw, clamp(200px, calc(100dvh - ${around}px), ${height}px))` : `min(${height}px, 100vw)` }} title="Drag to zoom in, double-click to see everything">
          <div ref={ground} aria-hidden className="absolute inset-0" />
          {latest.points === 0 && (
            <p className="pointer-events-none absolute inset-0 flex items-center justify-center text-sm text-muted-foreground">
              {live ? "The first point appears here as soon as it is logged." : "Nothing was measured."}
            </p>
          )}
        </div>
      )}
    </div>
  );
}
