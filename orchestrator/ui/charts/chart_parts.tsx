// The legend of a chart, and its points as a table.
import { number } from "../primitives/format";
import { formatValue, type Unit } from "./loss_plot";
import type { Curves } from "./series";

export function Legend({ series, train, smoothed, val, dots }: { series: number; train: string; smoothed: boolean; val: string; dots: boolean }) {
  const color = `var(--series-${series})`;
  const item = "flex items-center gap-1.5";
  return (
    <ul className="mb-2 flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted-foreground">
      {train && (
        <li className={item}>
          <span aria-hidden className="h-[3px] w-4 rounded-full" style={{ background: color }} /> {smoothed ? `${train}, smoothed` : train}
        </li>
      )}
      {train && smoothed && (
        <li className={item}>
          <span aria-hidden className="h-px w-4 opacity-60" style={{ background: color }} /> {`${train}, raw`}
        </li>
      )}
      {val && (
        <li className={item}>
          <span aria-hidden className={dots ? "size-2 rounded-full border-2 border-foreground" : "w-4 border-t border-dashed border-foreground"} /> {val}
        </li>
      )}
    </ul>
  );
}

type TableProps = { curves: Curves; trainKey: string; evalKey: string; height: number; title: string; columns: [string, string, string]; unit: Unit };

export function DataTable({ curves, trainKey, evalKey, height, title, columns, unit }: TableProps) {
  const both = [trainKey, evalKey].filter((key) => key !== "none");
  const steps = [...new Set(both.flatMap((key) => curves.line(key)[0]))].sort((a, b) => a - b);
  const heads = columns.filter((_, place) => place === 0 || [trainKey, evalKey][place - 1] !== "none");
  const shown = 200;
  const from = Math.max(0, steps.length - shown);
  return (
    <div tabIndex={0} role="region" aria-label={`${title} as a table`} className="overflow-auto rounded-lg border border-border focus-ring" style={{ height }}>
      <table className="w-full text-xs">
        <caption className="px-3 py-2 text-left text-muted-foreground">{`The newest ${number(steps.length - from)} of ${number(steps.length)} drawn points`}</caption>
        <thead className="sticky top-0 bg-card text-muted-foreground">
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col" className="px-3 py-2 text-right font-medium">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="font-mono tabular">
          {steps
            .slice(from)
            .map((step) => (
              <tr key={step} className="border-t border-border">
                <td className="px-3 py-1 text-right">{number(step)}</td>
                {both.map((key) => {
                  const value = curves.steps.get(key)?.get(step);
                  return (
                    <td key={key} className="px-3 py-1 text-right">
                      {value === undefined ? "" : formatValue(value, unit)}
                    </td>
                  );
                })}
              </tr>
            ))
            .reverse()}
        </tbody>
      </table>
    </div>
  );
}
