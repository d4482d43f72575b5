// How the loss chart is drawn: axes, the three lines, the part to come, the last point and the tooltip.
import uPlot from "uplot";
import { bytes, figure, number, percent } from "../primitives/format";
import { pointerTip, valueBefore, type Values } from "./pointer_tip";

export type Unit = "" | "percent" | "bytes";
export type Axis = "step" | "seconds";

export type PlotView = {
  unit: Unit;
  x: Axis;
  labels: { train: string; validation: string };
  zoom: [number, number] | null;
  onZoom?: (zoom: [number, number] | null) => void;
  weight: number;
  log: boolean;
  total: number;
  live: boolean;
  stopWord: string;
  lastStep?: number;
  color?: string;
  ink?: string;
  muted?: string;
  line?: string;
  ground?: string;
  card?: string;
  [key: string]: unknown;
};

export function themeOf(element: HTMLElement, series: number) {
  const style = getComputedStyle(element);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return {
    color: read(`--series-${series}`),
    ink: read("--foreground"),
    muted: read("--muted-foreground"),
    line: read("--border"),
    ground: read("--muted"),
    card: read("--card"),
  };
}

export const formatValue = (value: number, unit: Unit) => (unit === "percent" ? percent(value * 100, 1) : unit === "bytes" ? bytes(value) : figure(value));
/** 75 -> "1:15", 3700 -> "1:01:40". */
export function clock(seconds: number): string {
  const total = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(total / 60);
  return minutes < 60 ? `${minutes}:${two(total % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(total % 60)}`;
}
export const formatX = (value: number, axis: Axis) => (axis === "seconds" ? clock(value) : `Step ${number(value)}`);

const alpha = (color: string, share: number) => `color-mix(in srgb, ${color} ${Math.round(share * 100)}%, transparent)`;
const MONO = '12px "JetBrains Mono Variable", ui-monospace, monospace';
const SANS = '12px "Inter Variable", system-ui, sans-serif';

/** Shades the steps that are still to come, and labels them. */
function drawRemainingSteps(plot: uPlot, view: PlotView) {
  const { ctx, bbox } = plot;
  const last = view.lastStep || 0;
  if (!view.total || last >= view.total || view.zoom || view.x !== "step") return;
  const ratio = devicePixelRatio || 1;
  const left = Math.max(bbox.left, plot.valToPos(last, "x", true));
  const right = bbox.left + bbox.width;
  if (right - left < 2) return;
  ctx.save();
  if (view.live) {
    ctx.fillStyle = alpha(view.ground as string, 0.45);
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
  const word = view.stopWord || (view.live && last ? `${number(view.total - last)} steps to go` : "");
  ctx.font = SANS.replace("12px", `${12 * ratio}px`);
  if (word && ctx.measureText(word).width < right - left - 12 * ratio) {
    ctx.fillStyle = view.muted as string;
    ctx.textBaseline = "middle";
    ctx.textAlign = view.stopWord ? "left" : "center";
    ctx.fillText(word, view.stopWord ? left + 8 * ratio : (left + right) / 2, bbox.top + (view.stopWord ? 12 * ratio : bbox.height / 2));
  }
  ctx.restore();
}

function drawLastPoint(plot: uPlot, view: PlotView) {
  const smoothed = plot.data[2] as (number | null | undefined)[];
  let at = smoothed.length - 1;
  while (at >= 0 && typeof smoothed[at] !== "number") at -= 1;
  if (at < 0) return;
  const ratio = devicePixelRatio || 1;
  const x = plot.valToPos(plot.data[0][at], "x", true);
  const y = plot.valToPos(smoothed[at] as number, "y", true);
  const { ctx } = plot;
  ctx.save();
  const disc = (radius: number, fill: string) => {
    ctx.beginPath();
    ctx.arc(x, y, radius * ratio, 0, 2 * Math.PI);
    ctx.fillStyle = fill;
    ctx.fill();
  };
  if (view.live) disc(9, alpha(view.color as string, 0.3));
  disc(4, view.color as string);
  ctx.restore();
}

/** Step, smoothed, raw and validation value. */
function tooltip(view: PlotView): uPlot.Plugin {
  const row = (word: string, value: string, strong = false) =>
    `<div class="flex justify-between gap-3 py-0.5"><span class="${strong ? "font-semibold" : "text-muted-foreground"}">${word}</span><span class="font-mono tabular">${value}</span></div>`;
  return pointerTip("w-43", (box, plot, at) => {
    const [steps, raw, smoothed, validation] = plot.data as Values[];
    const { train, validation: validationName } = view.labels;
    const rows: [string, number | null][] = [
      [view.weight > 0 ? `${train}, smoothed` : train, valueBefore(smoothed, at, 200)],
      [`${train}, raw`, view.weight > 0 ? valueBefore(raw, at, 200) : null],
      [validationName, valueBefore(validation, at, 200)],
    ];
    box.innerHTML = row(formatX(steps[at] as number, view.x), "", true) + rows.map(([word, value]) => (value === null ? "" : row(word, formatValue(value, view.unit)))).join("");
  });
}

const linear = (view: PlotView, low: number | null, high: number | null): uPlot.Range.MinMax => {
  if (low === null || high === null) return [0, 1];
  // The total curve starts at zero; a zoomed part is scaled to its own range, which shows small differences.
  const bottom = view.zoom ? low - (high - low) * 0.05 : Math.min(0, low);
  return [bottom, high <= bottom ? bottom + 1 : high + (high - bottom) * 0.05];
};

/** All ticks of an axis with the same decimals, as many as its step needs. */
export function labels(ticks: number[], log: boolean, unit: Unit): string[] {
  if (unit === "bytes") return ticks.map(bytes);
  if (unit === "percent") return ticks.map((tick) => number(tick * 100, 1));
  const gap = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) : 1;
  if (log || gap < 0.001) return ticks.map((tick) => (tick !== 0 && Math.abs(tick) < 0.01 ? tick.toExponential(0) : number(tick, 3)));
  const digits = gap >= 1 ? (Math.abs(ticks[ticks.length - 1]) < 10 ? 1 : 0) : Math.ceil(-Math.log10(gap) - 1e-9);
  return ticks.map((tick) => tick.toFixed(digits));
}

/** A dot under the pointer on the smoothed line alone: elsewhere it would cover the drawn ones. */
function pointerDot(_plot: uPlot, line: number): HTMLElement {
  const dot = document.createElement("div");
  if (line !== 2) dot.style.visibility = "hidden";
  return dot;
}

/** What was dragged over fills the chart; a double click shows everything again. */
function zoomIn(plot: uPlot, view: PlotView) {
  const { left, width } = plot.select;
  if (width < 6) return;
  const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  view.zoom = [from, to];
  plot.setScale("x", { min: from, max: to });
  view.onZoom?.(view.zoom);
}

/** Distances between two marks of an axis: total steps, and times as a clock counts them. */
export const WHOLE_STEPS = [1, 2, 5].flatMap((lead) => [0, 1, 2, 3, 4, 5, 6, 7, 8].map((power) => lead * 10 ** power)).sort((a, b) => a - b);
const SPANS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800];

/** Makes the plot in `ground`. `view` is shared: the caller changes it and redraws the plot. */
export function draw(ground: HTMLElement, view: PlotView, series: number, height: number): uPlot {
  Object.assign(view, themeOf(ground, series));
  const toLog = (value: number) => Math.log10(Math.max(value, 1e-8));
  const axis = (): uPlot.Axis => ({
    stroke: () => view.muted as string,
    font: MONO,
    grid: { stroke: () => view.line as string, width: 1, dash: [2, 4] },
    ticks: { show: false },
  });
  const options: uPlot.Options = {
    width: Math.max(160, ground.clientWidth),
    height,
    // On the right half a label of the x axis has room: the last one stands at the edge.
    padding: [8, 36, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false },
      points: { size: 7, show: pointerDot },
      bind: {
        dblclick: (_plot, _target, handler) => (event) => {
          view.zoom = null;
          view.onZoom?.(null);
          return handler(event);
        },
      },
    },
    scales: {
      x: { time: false, range: (_plot, low, high) => view.zoom || (view.total && view.x === "step" ? [0, Math.max(view.total, high ?? 0)] : [low ?? 0, Math.max(high ?? 1, (low ?? 0) + 1)]) },
      y: {
        distr: 100,
        fwd: (value: number) => (view.log ? toLog(value) : value),
        bwd: (value: number) => (view.log ? 10 ** value : value),
        range: (_plot, low, high) => (view.log ? [Math.max((low ?? 0.1) * 0.8, 1e-9), Math.max((high ?? 1) * 1.25, 1e-8)] : linear(view, low, high)),
      } as uPlot.Scale,
    },
    axes: [
      { ...axis(), grid: { show: false }, space: 70, size: 32, incrs: view.x === "seconds" ? SPANS : WHOLE_STEPS, values: (_plot, ticks) => ticks.map((tick) => (view.x === "seconds" ? clock(tick) : number(tick))) },
      {
        ...axis(),
        size: view.unit === "bytes" ? 72 : 52,
        splits: (plot, _axis, low, high) => {
          if (view.log) {
            const out: number[] = [];
            for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1)
              for (const lead of [1, 2, 5]) if (lead * 10 ** power >= low && lead * 10 ** power <= high) out.push(lead * 10 ** power);
            return out;
          }
          const rough = (high - low) / 4;
          const size = 10 ** Math.floor(Math.log10(rough || 1));
          const step = [1, 2, 5, 10].map((lead) => lead * size).find((lead) => lead >= rough) || 1;
          const out: number[] = [];
          for (let at = Math.ceil(low / step) * step; at <= high + 1e-12; at += step) out.push(Number(at.toFixed(10)));
          return out;
        },
        filter: (_plot, splits) => splits,
        values: (_plot, ticks) => labels(ticks, view.log, view.unit),
      },
    ],
    series: [
      {},
      { stroke: () => alpha(view.color as string, 0.4), width: 1, points: { show: false }, spanGaps: true },
      { stroke: () => view.color as string, width: 2.25, points: { show: false }, spanGaps: true },
      {
        stroke: () => view.ink as string,
        width: 1,
        dash: [3, 3],
        spanGaps: true,
        // Many evaluations are a line: rings would cover each other.
        points: { show: (plot, line) => view.x === "step" && plot.data[line].filter((value) => typeof value === "number").length * 14 <= plot.width, size: 7, width: 1.75, stroke: () => view.ink as string, fill: () => view.card as string },
      },
    ],
    plugins: [tooltip(view)],
    hooks: {
      setSelect: [(plot) => zoomIn(plot, view)],
      drawAxes: [(plot) => drawRemainingSteps(plot, view)],
      draw: [(plot) => drawLastPoint(plot, view)],
    },
  };
  return new uPlot(options, [[], [], [], []], ground);
}
