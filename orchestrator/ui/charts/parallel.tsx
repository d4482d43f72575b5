// Parallel coordinates: an axis for each parameter that differs, a line for each job. plotly comes with this chart only.
import { useEffect, useRef, useState } from "react";
import { buttonClasses } from "../primitives/button";
import { bring } from "../primitives/later";

type Axis = { name: string; words: string[]; places: number[] };
type Job = { name: string; series: number; dash: number };
type Props = { axes?: Axis[]; jobs?: Job[]; height?: number };

const DASHES = ["solid", "dash", "dot", "dashdot"];

/** Each axis runs from 0 to 1; its own values stand beside it where the lines meet it. */
function figureOf(place: HTMLElement, axes: Axis[], jobs: Job[]) {
  const style = getComputedStyle(place);
  const read = (name: string) => style.getPropertyValue(name).trim();
  const ink = read("--foreground");
  const quiet = read("--muted-foreground");
  const traces = jobs.map((job, at) => ({
    type: "scatter",
    mode: "lines+markers",
    name: job.name,
    x: axes.map((_, place) => place),
    y: axes.map((axis) => axis.places[at]),
    customdata: axes.map((axis) => `${axis.name}: ${axis.words[at]}`),
    hovertemplate: "%{customdata}<extra>%{fullData.name}</extra>",
    line: { color: read(`--series-${job.series}`), dash: DASHES[job.dash % 4], width: 2, shape: "spline", smoothing: 0.6 },
    marker: { size: 6, color: read(`--series-${job.series}`) },
  }));
  const seen = axes.flatMap((axis, place) =>
    [...new Map(axis.places.map((at, job) => [at, axis.words[job]]))].map(([at, word]) => ({ x: place, y: at, text: word, showarrow: false, xanchor: "left", xshift: 8, yshift: 9, bgcolor: read("--card"), borderpad: 1, font: { size: 11, color: quiet, family: "JetBrains Mono Variable, monospace" } })),
  );
  const layout = {
    height: place.clientHeight,
    margin: { l: 40, r: 90, t: 40, b: 20 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    showlegend: false,
    font: { family: "Inter Variable, system-ui, sans-serif", size: 12, color: ink },
    hoverlabel: { bgcolor: read("--popover"), bordercolor: read("--border"), font: { color: ink } },
    xaxis: { tickvals: axes.map((_, place) => place), ticktext: axes.map((axis) => axis.name), side: "top", showgrid: true, gridcolor: read("--input"), zeroline: false, fixedrange: true, range: [-0.15, axes.length - 0.6] },
    yaxis: { visible: false, range: [-0.08, 1.08], fixedrange: true },
    annotations: seen,
  };
  return { traces, layout };
}

export function ParallelCoordinates({ axes = [], jobs = [], height = 320 }: Props) {
  const ground = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<"waiting" | "ready" | "failed">("waiting");
  const [theme, setTheme] = useState(0);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const watch = new MutationObserver(() => setTheme((count) => count + 1));
    watch.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    let gone = false;
    const place = ground.current;
    if (!place || !axes.length) return;
    bring(() => import("plotly.js-basic-dist-min"))
      .then(async (module: any) => {
        const plotly = module.default ?? module;
        if (gone) return;
        const { traces, layout } = figureOf(place, axes, jobs);
        await plotly.react(place, traces, layout, { displayModeBar: false, responsive: true });
        setState("ready");
      })
      .catch(() => setState("failed"));
    return () => {
      gone = true;
    };
  }, [axes, jobs, theme, tries]);
  const said = jobs.map((job, at) => `${job.name}: ${axes.map((axis) => `${axis.name} ${axis.words[at]}`).join(", ")}`).join("; ");
  return (
    <div data-parallel={state} className="min-w-0 overflow-x-auto" tabIndex={0} role="region" aria-label="Parallel coordinates">
      <p className="sr-only">{said}</p>
      <div ref={ground} aria-hidden style={{ height, minWidth: Math.max(320, axes.length * 130) }} />
      {state === "failed" && (
        <p className="flex flex-wrap items-center gap-3 text-sm text-muted-foreground">
          This chart could not be loaded. The tables above say the same.
          <button type="button" className={buttonClasses({ size: "sm" })} onClick={() => setTries(tries + 1)}>
            Try again
          </button>
        </p>
      )}
    </div>
  );
}
