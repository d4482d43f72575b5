// Parallel coordinates: an axis per differing parameter, a line per job. Only this chart loads plotly.
import { useEffect, useRef, useState } from "react";
import { buttonClasses } from "../primitives/button";
import { prefetchThenImport } from "../primitives/later";

type Axis = { name: string; labels: string[]; positions: (number | null)[] };

/** Where a job without a value on an axis is marked: below the axis, where no value is. */
const LANE = -0.16;
type Job = { name: string; series: number; dash: number };
type Props = { axes?: Axis[]; jobs?: Job[]; height?: number };

const DASHES = ["solid", "dash", "dot", "dashdot"];

/** Each axis runs from 0 to 1; its values are written next to it where the lines meet it. */
function figureOf(element: HTMLElement, axes: Axis[], jobs: Job[]) {
  const style = getComputedStyle(element);
  const read = (name: string) => style.getPropertyValue(name).trim();
  const foreground = read("--foreground");
  const muted = read("--muted-foreground");
  const traces = jobs.map((job, jobIndex) => ({
    type: "scatter",
    mode: "lines+markers",
    name: job.name,
    x: axes.map((_, axisIndex) => axisIndex),
    y: axes.map((axis) => axis.positions[jobIndex]),
    customdata: axes.map((axis) => `${axis.name}: ${axis.labels[jobIndex]}`),
    hovertemplate: "%{customdata}<extra>%{fullData.name}</extra>",
    line: { color: read(`--series-${job.series}`), dash: DASHES[job.dash % 4], width: 2, shape: "spline", smoothing: 0.6 },
    marker: { size: 6, color: read(`--series-${job.series}`) },
  }));
  // Without a line from the axis before it: a line would end at a value that nobody measured.
  const unmeasured = jobs.map((job, jobIndex) => ({
    type: "scatter",
    mode: "markers",
    name: job.name,
    x: axes.flatMap((axis, axisIndex) => (axis.positions[jobIndex] === null ? [axisIndex] : [])),
    y: axes.flatMap((axis) => (axis.positions[jobIndex] === null ? [LANE] : [])),
    customdata: axes.flatMap((axis) => (axis.positions[jobIndex] === null ? [`${axis.name}: ${axis.labels[jobIndex]}`] : [])),
    hovertemplate: "%{customdata}<extra>%{fullData.name}</extra>",
    marker: { size: 8, symbol: "circle-open", color: read(`--series-${job.series}`) },
  }));
  const lane = axes.some((axis) => axis.positions.includes(null));
  const annotations = axes.flatMap((axis, axisIndex) =>
    [...new Map(axis.positions.map((position, job) => [position ?? LANE, axis.labels[job]]))].map(([position, label]) => ({ x: axisIndex, y: position, text: label, showarrow: false, xanchor: "left", xshift: 8, yshift: 9, bgcolor: read("--card"), borderpad: 1, font: { size: 11, color: muted, family: "JetBrains Mono Variable, monospace" } })),
  );
  const layout = {
    height: element.clientHeight,
    margin: { l: 40, r: 90, t: 40, b: 20 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    showlegend: false,
    font: { family: "Inter Variable, system-ui, sans-serif", size: 12, color: foreground },
    hoverlabel: { bgcolor: read("--popover"), bordercolor: read("--border"), font: { color: foreground } },
    xaxis: { tickvals: axes.map((_, axisIndex) => axisIndex), ticktext: axes.map((axis) => axis.name), side: "top", showgrid: true, gridcolor: read("--input"), zeroline: false, fixedrange: true, range: [-0.15, axes.length - 0.6] },
    yaxis: { visible: false, range: [lane ? LANE - 0.08 : -0.08, 1.08], fixedrange: true },
    annotations,
  };
  return { traces: [...traces, ...unmeasured.filter((trace) => trace.x.length)], layout };
}

export function ParallelCoordinates({ axes = [], jobs = [], height = 320 }: Props) {
  const container = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<"waiting" | "ready" | "failed">("waiting");
  const [theme, setTheme] = useState(0);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const observer = new MutationObserver(() => setTheme((count) => count + 1));
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    let unmounted = false;
    const element = container.current;
    if (!element || !axes.length) return;
    prefetchThenImport(() => import("plotly.js-basic-dist-min"))
      .then(async (module: any) => {
        const plotly = module.default ?? module;
        if (unmounted) return;
        const { traces, layout } = figureOf(element, axes, jobs);
        await plotly.react(element, traces, layout, { displayModeBar: false, responsive: true });
        setState("ready");
      })
      .catch(() => setState("failed"));
    return () => {
      unmounted = true;
    };
  }, [axes, jobs, theme, attempt]);
  const description = jobs.map((job, index) => `${job.name}: ${axes.map((axis) => `${axis.name} ${axis.labels[index]}`).join(", ")}`).join("; ");
  return (
    <div data-parallel={state} className="min-w-0 overflow-x-auto" tabIndex={0} role="region" aria-label="Parallel coordinates">
      <p className="sr-only">{description}</p>
      <div ref={container} aria-hidden style={{ height, minWidth: Math.max(320, axes.length * 130) }} />
      {state === "failed" && (
        <p className="flex flex-wrap items-center gap-3 text-sm text-muted-foreground">
          This chart could not be loaded. The tables above have the same values.
          <button type="button" className={buttonClasses({ size: "sm" })} onClick={() => setAttempt(attempt + 1)}>
            Try again
          </button>
        </p>
      )}
    </div>
  );
}
