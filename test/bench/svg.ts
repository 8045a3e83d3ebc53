import { type Comparison, figure, type Target } from './harness.ts';

const WIDTH = 880;
const ROW = 26;
const TOP = 58;
const BOTTOM = 16;
/** Position of the line of the targets, and width of a factor of two. */
const LINE_X = 490;
const DOUBLE = 60;
const LEFT_X = LINE_X - 2 * DOUBLE;
const RIGHT_X = LINE_X + 3 * DOUBLE;
const VALUE_X = RIGHT_X + 12;

/** Colours with enough contrast on white and on GitHub's dark background. */
const STYLE = `
  text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 15px; }
  .quiet { fill: #59636e; }
  .line { stroke: #59636e; stroke-width: 1.5; }
  .grid { stroke: #d1d9e0; stroke-width: 1; }
  .reached { fill: #1a7f64; }
  .missed { fill: #d4651f; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .quiet { fill: #9198a1; }
    .line { stroke: #9198a1; }
    .grid { stroke: #3d444d; }
    .reached { fill: #3fb58f; }
    .missed { fill: #f0883e; }
  }`;

/** One bar: a ratio in relation to its target. */
interface Bar {
  readonly label: string;
  readonly ratio: number;
  readonly target: Target;
  /** 1 if the target is just met, 2 if the ratio is twice as good. */
  readonly score: number;
}

/**
 * Draws a chart of the ratios against their targets, as SVG: one bar for each, to the right of the
 * line if the target is reached. Of the cold starts it shows only the worst function.
 */
export function toSvg(comparisons: readonly Comparison[]): string {
  const bars = worstColdStarts(comparisons.flatMap(toBar));
  const height = TOP + bars.length * ROW + BOTTOM;
  const grid = [-2, -1, 1, 2, 3].map((doublings) => {
    const x = LINE_X + doublings * DOUBLE;
    return `<line class="grid" x1="${x}" x2="${x}" y1="${TOP - 6}" y2="${height - BOTTOM}"/>
  <text class="quiet" x="${x}" y="${TOP - 12}" text-anchor="middle">${factor(2 ** doublings)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Measured ratios against their targets">
  <style>${STYLE}
  </style>
  <text class="title" x="8" y="20">Measured against the alternatives</text>
  <text class="quiet" x="8" y="${TOP - 12}">right of the line: better than its target</text>
  ${grid.join('\n  ')}
  <line class="line" x1="${LINE_X}" x2="${LINE_X}" y1="${TOP - 6}" y2="${height - BOTTOM}"/>
  <text class="quiet" x="${LINE_X}" y="${TOP - 12}" text-anchor="middle">target</text>
  ${bars.map((bar, index) => drawBar(bar, TOP + index * ROW)).join('\n  ')}
</svg>
`;
}

function toBar({ measure, name, against, unit, ratio, target }: Comparison): (Bar & Subject)[] {
  if (!target) return [];
  const score = 'atLeast' in target ? ratio / target.atLeast : target.atMost / ratio;
  const counted = measure === 'filters' ? `, ${unit}` : '';
  const label = measure === 'filters' ? `${name}${counted}` : `${measure} ${name} / ${against}`;
  return [{ measure, against, label, ratio, target, score }];
}

/** Subject of a bar. */
interface Subject {
  readonly measure: string;
  readonly against: string;
}

function worstColdStarts(bars: readonly (Bar & Subject)[]): Bar[] {
  const isCold = ({ measure }: Subject) => measure === 'cold';
  const cold = Map.groupBy(bars.filter(isCold), ({ against }) => against);
  const worst = [...cold].map(([against, all]) => {
    const last = all.reduce((a, b) => (a.score < b.score ? a : b));
    return { ...last, label: `cold start / ${against}, worst of ${all.length} functions` };
  });
  return [...bars.filter((bar) => !isCold(bar)), ...worst];
}

function drawBar({ label, ratio, target, score }: Bar, y: number): string {
  const end = Math.min(RIGHT_X, Math.max(LEFT_X, LINE_X + Math.log2(score) * DOUBLE));
  const [from, to] = score >= 1 ? [LINE_X, end] : [end, LINE_X];
  const width = Math.max(1.5, to - from).toFixed(1);
  const goal = 'atLeast' in target ? `at least ${target.atLeast}` : `at most ${target.atMost}`;
  return `<text x="8" y="${y + 15}">${escapeText(label)}</text>
  <rect class="${score >= 1 ? 'reached' : 'missed'}" x="${from.toFixed(1)}" y="${y + 3}" width="${width}" height="${ROW - 10}" rx="2"/>
  <text x="${VALUE_X}" y="${y + 15}">${figure(ratio)} <tspan class="quiet">(${goal})</tspan></text>`;
}

function factor(value: number): string {
  return value < 1 ? `÷${1 / value}` : `×${value}`;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
