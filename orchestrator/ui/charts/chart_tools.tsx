// The tools of a chart: full screen, and download as a picture or as numbers.
import { Download, Maximize2 } from "lucide-react";
import type { RefObject } from "react";
import type uPlot from "uplot";
import { cn } from "../primitives/cn";
import { DropdownMenu, MenuItem } from "../primitives/dropdown_menu";
import type { Axis } from "./loss_plot";
import type { Curves } from "./series";

export const square =
  "inline-flex h-7 min-w-7 cursor-pointer items-center justify-center rounded-md border px-2 text-xs focus-ring hover:text-foreground aria-pressed:border-input aria-pressed:text-foreground tap";

export function save(name: string, blob: Blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const fileName = (title: string) => `${document.title.split(" - ").slice(-2, -1)[0] || "job"} ${title}`.trim().toLowerCase().replace(/[^a-z0-9]+/g, "-");

/** Draws the background of the card and the title first, which the canvas of the plot does not contain. */
export function savePicture(plot: uPlot, title: string) {
  const from = plot.ctx.canvas;
  const ratio = devicePixelRatio || 1;
  const head = 36 * ratio;
  const canvas = document.createElement("canvas");
  canvas.width = from.width + 32 * ratio;
  canvas.height = from.height + head + 16 * ratio;
  const ctx = canvas.getContext("2d");
  if (!ctx) return;
  const style = getComputedStyle(plot.root);
  ctx.fillStyle = style.getPropertyValue("--card").trim() || "white";
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.fillStyle = style.getPropertyValue("--foreground").trim() || "black";
  ctx.font = `600 ${14 * ratio}px "Inter Variable", system-ui, sans-serif`;
  ctx.fillText(title, 16 * ratio, 24 * ratio);
  ctx.drawImage(from, 16 * ratio, head);
  canvas.toBlob((blob) => blob && save(`${fileName(title)}.png`, blob), "image/png");
}

export function saveTable(curves: Curves, title: string, columns: [string, string][], axis: Axis) {
  const shown = columns.filter(([key]) => key !== "none");
  const steps = [...new Set(shown.flatMap(([key]) => curves.line(key)[0]))].sort((a, b) => a - b);
  const rows = steps.map((step) => [step, ...shown.map(([key]) => curves.steps.get(key)?.get(step) ?? "")].join(","));
  const head = [axis === "step" ? "step" : "seconds", ...shown.map(([key]) => key)].join(",");
  save(`${fileName(title)}.csv`, new Blob([`${[head, ...rows].join("\n")}\n`], { type: "text/csv" }));
}

type Props = { root: RefObject<HTMLDivElement | null>; plot: RefObject<uPlot | null>; curves: Curves; title: string; columns: [string, string][]; axis: Axis };

export function ChartTools({ root, plot, curves, title, columns, axis }: Props) {
  const fill = () => {
    if (document.fullscreenElement) document.exitFullscreen().catch(() => undefined);
    else root.current?.requestFullscreen?.().catch(() => undefined);
  };
  return (
    <>
      <span className="group-[:fullscreen]/chart:hidden">
        <DropdownMenu trigger={<Download aria-hidden className="size-4" />} label={`Save ${title}`} variant="ghost" size="icon-sm" className="size-7 text-muted-foreground tap">
          <MenuItem onClick={() => plot.current && savePicture(plot.current, title)}>Picture (PNG)</MenuItem>
          <MenuItem onClick={() => saveTable(curves, title, columns, axis)}>Numbers (CSV)</MenuItem>
        </DropdownMenu>
      </span>
      <button type="button" aria-label={`${title}: full screen`} title="Full screen" onClick={fill} className={cn(square, "border-transparent px-0 max-sm:hidden")}>
        <Maximize2 aria-hidden className="size-4" />
      </button>
    </>
  );
}
