// Several jobs on one plot: a colour and a dash each, named in the legend, with the controls of the loss chart.
import { useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { cn } from "../primitives/cn";
import { figure, number } from "../primitives/format";
import { ChartTools, square } from "./chart_tools";
import { themeOf, WHOLE_STEPS, labels } from "./loss_plot";
import { pointerTip, valueBefore, type Values } from "./pointer_tip";
import { Curves, smooth } from "./series";

type Line = { id: number; name: string; series: number; dash: number; points: [number, number][] };
type Props = { lines?: Line[]; title?: string; smoothing?: number; height?: number; className?: string };

const DASHES: number[][] = [[], [7, 4], [2, 4], [10, 3, 2, 3]];
const MONO = '12px "JetBrains Mono Variable", ui-monospace, monospace';

/** All lines on one list of steps; a job that ends early simply stops. */
function align(lines: Line[], weight: number): uPlot.AlignedData {
  const steps = [...new Set(lines.flatMap((line) => line.points.map((point) => point[0])))].sort((a, b) => a - b);
  const at = new Map(steps.map((step, place) => [step, place]));
  const rows = lines.map((line) => {
    const row: (number | null | undefined)[] = new Array(steps.length).fill(undefined);
    const smoothed = smooth(line.points.map((point) => point[1]), weight);
    line.points.forEach(([step], place) => (row[at.get(step) as number] = smoothed[place]));
    return row;
  });
  return [steps, ...rows] as uPlot.AlignedData;
}

/** Step, and the value of each job with its colour. */
function tip(lines: Line[], colors: string[]): uPlot.Plugin {
  return pointerTip("min-w-43", (box, plot, at) => {
    box.replaceChildren();
    const head = document.createElement("p");
    head.className = "mb-1 font-semibold";
    head.textContent = `Step ${number(plot.data[0][at])}`;
    box.append(head);
    lines.forEach((line, place) => {
      const value = valueBefore(plot.data[place + 1] as Values, at, 400);
      if (value === null) return;
      const row = document.createElement("p");
      row.className = "flex items-center gap-2 py-0.5";
      const dot = document.createElement("span");
      dot.className = "size-2 shrink-0 rounded-xs";
      dot.style.background = colors[place];
      const name = document.createElement("span");
      name.className = "max-w-36 flex-1 truncate text-muted-foreground";
      name.textContent = line.name;
      const shown = document.createElement("span");
      shown.className = "font-mono tabular";
      shown.textContent = figure(value);
      row.append(dot, name, shown);
      box.append(row);
    });
  });
}

export function CurvesChart({ lines = [], title = "Loss", smoothing = 0.8, height = 420, className }: Props) {
  const root = useRef<HTMLDivElement>(null);
  const ground = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [weight, setWeight] = useState(smoothing);
  const [log, setLog] = useState(false);
  const [themeVersion, setThemeVersion] = useState(0);
  const store = useMemo(() => {
    const curves = new Curves();
    lines.forEach((line) => line.points.forEach(([step, value]) => curves.put([step, `${line.name} #${line.id}`, value])));
    return curves;
  }, [lines]);
  const shape = lines.map((line) => `${line.id}:${line.series}:${line.dash}`).join(",");

  useEffect(() => {
    const watch = new MutationObserver(() => setThemeVersion((count) => count + 1));
    watch.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
    return () => watch.disconnect();
  }, []);

  useEffect(() => {
    if (!ground.current) return;
    const place = ground.current;
    const colors = lines.map((line) => themeOf(place, line.series).color);
    const theme = themeOf(place, 1);
    const axis = (): uPlot.Axis => ({ stroke: theme.muted, font: MONO, grid: { stroke: theme.line, width: 1, dash: [2, 4] }, ticks: { show: false } });
    const made = new uPlot(
      {
        width: Math.max(160, place.clientWidth),
        height,
        padding: [8, 20, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: true, y: false }, points: { size: 6 } },
        scales: { x: { time: false }, y: { distr: log ? 3 : 1 } },
        axes: [
          { ...axis(), grid: { show: false }, space: 70, size: 32, incrs: WHOLE_STEPS, values: (_plot, ticks) => ticks.map((tick) => number(tick)) },
          { ...axis(), size: 58, values: (_plot, ticks) => (!log && ticks.every((tick) => tick !== null) ? labels(ticks, false, "") : ticks.map((tick) => (tick === null ? "" : Math.abs(tick) > 0 && Math.abs(tick) < 0.01 ? tick.toExponential(0) : number(tick, 3)))) },
        ],
        series: [{}, ...lines.map((line, at) => ({ label: line.name, stroke: colors[at], width: 2, dash: DASHES[line.dash % 4], points: { show: false }, spanGaps: true }))],
        plugins: [tip(lines, colors)],
      },
      align(lines, weight),
      place,
    );
    plot.current = made;
    const size = new ResizeObserver(([entry]) => made.setSize({ width: Math.max(160, entry.contentRect.width), height: Math.max(120, entry.contentRect.height) }));
    size.observe(place);
    return () => {
      size.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, log, themeVersion, height]);

  useEffect(() => plot.current?.setData(align(lines, weight)), [lines, weight]);

  const points = lines.reduce((sum, line) => sum + line.points.length, 0);
  const lastValues = lines.map((line) => `${line.name} ${line.points.length ? figure(line.points[line.points.length - 1][1]) : "no data yet"}`).join(", ");
  return (
    <div ref={root} data-curves={lines.length} data-points={points} className={cn("group/chart flex min-w-0 flex-col [&:fullscreen]:bg-card [&:fullscreen]:p-8", className)}>
      <div className="mb-3 flex min-h-7 flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <h2 className="text-sm font-semibold">{title}</h2>
        <div className="flex items-center gap-2 text-xs text-muted-foreground">
          <label className="flex items-center gap-2">
            <span className="max-sm:sr-only">Smoothing</span>
            <input type="range" min={0} max={0.99} step={0.01} value={weight} onChange={(event) => setWeight(Number(event.target.value))} className="h-7 w-20 cursor-pointer accent-(--muted-foreground) focus-ring touch:h-11" />
            <span className="w-8 tabular text-foreground">{weight.toFixed(2)}</span>
          </label>
          <button type="button" aria-pressed={log} onClick={() => setLog(!log)} className={cn(square, "border-border")}>
            Log
          </button>
          <ChartTools root={root} plot={plot} curves={store} title={title} columns={[...store.steps.keys()].map((key) => [key, key] as [string, string])} axis="step" />
        </div>
      </div>
      <p className="sr-only">{`${title} of ${lines.length} jobs; last values: ${lastValues}.`}</p>
      <div className="relative flex-1" style={{ minHeight: `min(${height}px, 100vw)` }} title="Drag to zoom in, double-click to see everything">
        <div ref={ground} aria-hidden className="absolute inset-0" />
        {points === 0 && <p className="pointer-events-none absolute inset-0 flex items-center justify-center text-sm text-muted-foreground">None of these jobs has measured this yet.</p>}
      </div>
    </div>
  );
}
