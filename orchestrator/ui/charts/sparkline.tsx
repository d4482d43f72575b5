// A small curve without axes; the area under it fades out.
import { useId } from "react";

type Props = { values?: number[]; series?: number; color?: string; width?: number; height?: number; dot?: boolean; label?: string; low?: number; high?: number; className?: string };

export function Sparkline({ values = [], series = 1, color, width = 240, height = 56, dot = true, label = "Trend", low: floor, high: ceiling, className }: Props) {
  const id = useId();
  const tint = color || `var(--series-${series})`;
  const good = values.filter((value) => Number.isFinite(value));
  if (good.length < 2) return <div aria-hidden className={className} style={{ height }} />;
  const low = floor ?? Math.min(...good);
  const high = ceiling ?? Math.max(...good);
  const pad = 4;
  const x = (place: number) => pad + (place / (good.length - 1)) * (width - 2 * pad);
  const y = (value: number) => pad + (1 - (value - low) / (high - low || 1)) * (height - 2 * pad);
  const line = good.map((value, place) => `${place ? "L" : "M"}${x(place).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const last = good.length - 1;
  return (
    <div className={className} style={{ height, position: "relative" }} role="img" aria-label={label}>
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" className="size-full" aria-hidden>
        <defs>
          <linearGradient id={id} x1="0" x2="0" y1="0" y2="1">
            <stop offset="0" stopColor={tint} stopOpacity={0.26} />
            <stop offset="1" stopColor={tint} stopOpacity={0} />
          </linearGradient>
        </defs>
        <path d={`${line}L${x(last)} ${height}L${x(0)} ${height}Z`} fill={`url(#${id})`} />
        <path d={line} fill="none" stroke={tint} strokeWidth={1.75} strokeLinejoin="round" vectorEffect="non-scaling-stroke" />
      </svg>
      {dot && (
        <span
          aria-hidden
          className="absolute size-1.5 -translate-x-1/2 -translate-y-1/2 rounded-full"
          style={{ left: `${(x(last) / width) * 100}%`, top: `${(y(good[last]) / height) * 100}%`, background: tint }}
        />
      )}
    </div>
  );
}
