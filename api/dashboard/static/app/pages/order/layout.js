/**
 * Where the states and the steps between them are drawn. The steps are those of the
 * diagram that is generated from the fold; a test compares the two.
 *
 * @typedef {{x: number, y: number, w: number}} Box
 */

export const width = 660;
export const height = 262;

/** The frame around the states of orders that go on. */
export const open = { x: 8, y: 40, width: 644, height: 76 };

/** The middle of each state. @type {Record<string, Box>} */
export const nodes = {
  placed: { x: 66, y: 80, w: 88 },
  accepted: { x: 196, y: 80, w: 92 },
  'in-kitchen': { x: 328, y: 80, w: 96 },
  ready: { x: 454, y: 80, w: 80 },
  'rider-delivering': { x: 580, y: 80, w: 104 },
  failed: { x: 100, y: 190, w: 88 },
  completed: { x: 260, y: 190, w: 104 },
  closed: { x: 420, y: 190, w: 88 },
  canceled: { x: 570, y: 190, w: 96 },
};

/** The outcomes: each state of the frame leads to each of them. */
export const exits = ['failed', 'completed', 'closed', 'canceled'];

/** The steps between single states. */
export const edges = [
  { from: 'placed', to: 'accepted' },
  { from: 'accepted', to: 'in-kitchen' },
  { from: 'accepted', to: 'rider-delivering' },
  { from: 'in-kitchen', to: 'ready' },
  { from: 'in-kitchen', to: 'rider-delivering' },
  { from: 'ready', to: 'rider-delivering' },
  { from: 'failed', to: 'completed' },
  { from: 'failed', to: 'closed' },
  { from: 'failed', to: 'canceled' },
  { from: 'completed', to: 'closed' },
  { from: 'completed', to: 'canceled' },
  { from: 'closed', to: 'canceled' },
];

/** Whether a step is one that the fold knows: a snapshot may take others. @param {{from: string, to: string}} step */
export const isEdge = ({ from, to }) =>
  (exits.includes(to) && !exits.includes(from)) || edges.some((edge) => edge.from === from && edge.to === to);

/** The line from the frame to an outcome. @param {string} name */
export function wayOut(name) {
  const { x, y } = nodes[name];
  return { line: `M${x} ${open.y + open.height}V${y - half - 7}`, tip: `M${x} ${y - half}l-4.5 -8h9z` };
}

/** The height of half a box. */
const half = 16;

/**
 * Gives the line from one state to another, and its tip. Neighbours in a row are joined
 * straight; others in a row by an arc, above the open ones and below those that ended.
 * @param {string} from
 * @param {string} to
 */
export function pathBetween(from, to) {
  const a = nodes[from];
  const b = nodes[to];
  if (a.y !== b.y) return slope(a, b);
  const between = Object.values(nodes).some((n) => n.y === a.y && n.x > Math.min(a.x, b.x) && n.x < Math.max(a.x, b.x));
  return between ? arc(a, b, a.y < 130 ? -1 : 1) : straight(a, b);
}

/** @param {Box} a @param {Box} b */
function straight(a, b) {
  const x = b.x - b.w / 2;
  return { line: `M${a.x + a.w / 2} ${a.y}H${x - 7}`, tip: `M${x} ${b.y}l-8 -4.5v9z` };
}

/** @param {Box} a @param {Box} b @param {number} side -1: above; 1: below */
function arc(a, b, side) {
  const y = a.y + side * half;
  const bend = y + side * (16 + Math.abs(b.x - a.x) / 9);
  return {
    line: `M${a.x + 12} ${y}C${a.x + 40} ${bend} ${b.x - 40} ${bend} ${b.x - 6} ${y + side * 7}`,
    tip: `M${b.x - 4} ${y}l${-7} ${side * 6}l9 ${side * 3}z`,
  };
}

/** @param {Box} a @param {Box} b */
function slope(a, b) {
  const y = b.y - half;
  const middle = (a.y + half + y) / 2;
  return {
    line: `M${a.x} ${a.y + half}C${a.x} ${middle + 10} ${b.x} ${middle - 10} ${b.x} ${y - 7}`,
    tip: `M${b.x} ${y}l-4.5 -8h9z`,
  };
}
