// The data behind a curve: points by (series, step), numbered batches, and smoothing.
/** Step, series, value: a list, which is shorter than an object for many tabs at once. */
export type Item = [step: number, series: string, value: number];
export type Batch = { seq: number; items: Item[]; first_seq?: number };
export type History = { [series: string]: [number, number][] };

export class Curves {
  readonly steps = new Map<string, Map<number, number>>();
  lastSeq = 0;
  lastStep = 0;
  count = 0;

  put([step, series, value]: Item): boolean {
    let line = this.steps.get(series);
    if (!line) this.steps.set(series, (line = new Map()));
    if (!line.has(step)) this.count += 1;
    else if (line.get(step) === value) return false;
    line.set(step, value);
    if (step > this.lastStep) this.lastStep = step;
    return true;
  }

  /** Adds the points of the stored history; points that arrived live are not removed. */
  fill(history: History): void {
    for (const [series, points] of Object.entries(history || {})) for (const [step, value] of points) this.put([step, series, value]);
  }

  /** Adds a batch. Returns the last number before a gap, or null when nothing is missing. */
  addBatch(batch: Batch): number | null {
    const before = this.lastSeq;
    const first = batch.first_seq ?? batch.seq;
    for (const item of batch.items || []) this.put(item);
    this.lastSeq = Math.max(before, batch.seq);
    return before > 0 && first > before + 1 ? before : null;
  }

  line(series: string): [number[], number[]] {
    const points = [...(this.steps.get(series) ?? [])].filter(([, value]) => Number.isFinite(value)).sort((a, b) => a[0] - b[0]);
    return [points.map((point) => point[0]), points.map((point) => point[1])];
  }
}

/** Exponential moving average without a start at zero (Kingma and Ba 2015, bias correction). */
export function smooth(values: number[], weight: number): number[] {
  if (weight <= 0) return values;
  let mean = 0;
  let scale = 1;
  return values.map((value) => {
    mean = mean * weight + (1 - weight) * value;
    scale *= weight;
    return mean / (1 - scale);
  });
}
