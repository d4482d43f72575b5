// The box that follows the pointer over a chart.
import uPlot from "uplot";

export type Values = (number | null | undefined)[];

/** The value at `at`, or the last one before it within `reach` places: not every curve has a value at every step. */
export function valueBefore(values: Values, at: number, reach: number): number | null {
  for (let place = at; place >= 0 && place > at - reach; place -= 1) if (typeof values[place] === "number") return values[place] as number;
  return null;
}

/** `fill` writes into the box what is known at place `at` of the data; the box turns to the left where it would leave the chart. */
export function pointerTip(width: string, fill: (box: HTMLElement, plot: uPlot, at: number) => void): uPlot.Plugin {
  const box = document.createElement("div");
  box.className = `pointer-events-none absolute z-10 hidden ${width} rounded-lg border border-border bg-popover px-3 py-2 text-xs text-foreground shadow-float`;
  return {
    hooks: {
      init: (plot) => void plot.over.append(box),
      setCursor: (plot) => {
        const at = plot.cursor.idx;
        const left = plot.cursor.left ?? -1;
        if (at === null || at === undefined || left < 0) {
          box.classList.add("hidden");
          return;
        }
        fill(box, plot, at);
        box.classList.remove("hidden");
        const turns = left + box.offsetWidth + 18 > plot.over.clientWidth;
        box.style.left = `${turns ? Math.max(0, left - box.offsetWidth - 12) : left + 12}px`;
        box.style.top = "12px";
      },
    },
  };
}
