// Where the boxes of a graph stand: ranks by longest path, pulled tight; places that stand in for long edges; orders with
// few crossings, by sweeps within a time; and coordinates as near to their neighbours as the distance allows. Knows no
// framework and no drawing.

export interface Input {
  count: number;
  /** Pairs from, to. */
  edges: ArrayLike<number>;
  /** Group of each node, -1 without; members of a group stand together. */
  group?: ArrayLike<number>;
  widths: ArrayLike<number>;
  height: number;
  gapX: number;
  gapY: number;
  milliseconds?: number;
}

export interface Layout {
  x: Float64Array;
  y: Float64Array;
  rank: Int32Array;
  /** Points of each edge, [x, y, x, y …] */
  lines: Float64Array[];
  width: number;
  height: number;
  crossings: number;
}

const STAND_INS_MAX = 30_000;

export function layout(input: Input): Layout {
  const { count } = input;
  const pairs = clean(input);
  const { out, into } = neighbours(count, pairs);
  const rank = ranks(count, out, into);
  // Nodes and, behind them, the stand-ins of edges that pass more than one rank.
  const ranksOf: number[] = Array.from(rank);
  const groupOf: number[] = Array.from({ length: count }, (_, node) => input.group?.[node] ?? -1);
  const chains: number[][] = [];
  let next = count;
  const links: [number, number][] = [];
  for (const [from, to] of pairs) {
    const chain = [from];
    const gap = (rank[to] as number) - (rank[from] as number);
    if (next - count + gap < STAND_INS_MAX)
      for (let at = (rank[from] as number) + 1; at < (rank[to] as number); at += 1) {
        ranksOf.push(at);
        groupOf.push(groupOf[from] === groupOf[to] ? (groupOf[from] as number) : -1);
        links.push([chain.at(-1) as number, next]);
        chain.push(next);
        next += 1;
      }
    links.push([chain.at(-1) as number, to]);
    chain.push(to);
    chains.push(chain);
  }
  const deepest = count ? Math.max(...rank) : -1;
  const layers: number[][] = Array.from({ length: deepest + 1 }, () => []);
  const down: number[][] = Array.from({ length: next }, () => []);
  const up: number[][] = Array.from({ length: next }, () => []);
  for (const [from, to] of links)
    if (ranksOf[to] === (ranksOf[from] as number) + 1) {
      down[from]?.push(to);
      up[to]?.push(from);
    }
  firstOrder(next, ranksOf, down, up, layers);
  const crossings = order(layers, down, up, groupOf, input.milliseconds ?? 150);
  const y = coordinates(layers, down, up, next, (node) => (node < count ? input.height + input.gapY : input.gapY * 0.9), (a, b) => (groupOf[a] === groupOf[b] ? 0 : input.gapY * 2));
  const starts: number[] = [];
  let x = 0;
  for (const layer of layers) {
    let widest = 20;
    for (const node of layer) if (node < count) widest = Math.max(widest, input.widths[node] ?? 0);
    starts.push(x);
    // Room for edges to bend in, more where many do.
    x += widest + input.gapX + Math.min(80, layer.length * 0.8);
  }
  const xs = new Float64Array(count);
  for (let node = 0; node < count; node += 1) xs[node] = starts[rank[node] as number] ?? 0;
  const lines = chains.map((chain) => {
    const points: number[] = [];
    chain.forEach((node, place) => {
      const at = starts[ranksOf[node] as number] as number;
      if (node < count) points.push(place === 0 ? at + (input.widths[node] ?? 0) : at, y[node] as number);
      else points.push(at + 8, y[node] as number);
    });
    return Float64Array.from(points);
  });
  const ys = Float64Array.from({ length: count }, (_, node) => y[node] as number);
  return { x: xs, y: ys, rank, lines, width: Math.max(0, x - input.gapX), height: ys.reduce((most, each) => Math.max(most, each), 0) + input.height, crossings };
}

function clean(input: Input): [number, number][] {
  const seen = new Set<number>();
  const pairs: [number, number][] = [];
  for (let at = 0; at + 1 < input.edges.length; at += 2) {
    const from = input.edges[at] as number;
    const to = input.edges[at + 1] as number;
    const name = from * input.count + to;
    if (from !== to && !seen.has(name)) {
      seen.add(name);
      pairs.push([from, to]);
    }
  }
  return pairs;
}

function neighbours(count: number, pairs: [number, number][]): { out: number[][]; into: number[][] } {
  const out: number[][] = Array.from({ length: count }, () => []);
  const into: number[][] = Array.from({ length: count }, () => []);
  for (const [from, to] of pairs) {
    out[from]?.push(to);
    into[to]?.push(from);
  }
  return { out, into };
}

/** Longest path from the beginning; then what hangs loose moves next to what it leads to. Circles (of collapsed groups) are cut. */
function ranks(count: number, out: number[][], into: number[][]): Int32Array {
  const rank = new Int32Array(count);
  const left = Int32Array.from(into, (list) => list.length);
  const order: number[] = [];
  const seen = new Uint8Array(count);
  const ready: number[] = [];
  for (let node = 0; node < count; node += 1) if (left[node] === 0) ready.push(node);
  let cut = 0;
  for (;;) {
    while (ready.length) {
      const node = ready.pop() as number;
      if (seen[node]) continue;
      seen[node] = 1;
      order.push(node);
      for (const to of out[node] as number[]) {
        if (seen[to]) continue;
        rank[to] = Math.max(rank[to] as number, (rank[node] as number) + 1);
        left[to] = (left[to] as number) - 1;
        if ((left[to] as number) <= 0) ready.push(to);
      }
    }
    while (cut < count && seen[cut]) cut += 1;
    if (cut >= count) break;
    ready.push(cut);
  }
  for (let at = order.length - 1; at >= 0; at -= 1) {
    const node = order[at] as number;
    const after = out[node] as number[];
    if (!after.length || (into[node] as number[]).length > after.length) continue;
    let nearest = Infinity;
    for (const to of after) if ((rank[to] as number) > (rank[node] as number)) nearest = Math.min(nearest, rank[to] as number);
    if (Number.isFinite(nearest) && nearest - 1 > (rank[node] as number)) rank[node] = nearest - 1;
  }
  return rank;
}

function firstOrder(count: number, rankOf: number[], down: number[][], up: number[][], layers: number[][]): void {
  const seen = new Uint8Array(count);
  const stack: number[] = [];
  const visit = (start: number) => {
    stack.push(start);
    while (stack.length) {
      const node = stack.pop() as number;
      if (seen[node]) continue;
      seen[node] = 1;
      layers[rankOf[node] as number]?.push(node);
      const after = down[node] as number[];
      for (let at = after.length - 1; at >= 0; at -= 1) if (!seen[after[at] as number]) stack.push(after[at] as number);
    }
  };
  for (let node = 0; node < count; node += 1) if (!(up[node] as number[]).length) visit(node);
  for (let node = 0; node < count; node += 1) visit(node);
}

function order(layers: number[][], down: number[][], up: number[][], group: number[], milliseconds: number): number {
  const until = performance.now() + milliseconds;
  const place = new Float64Array(down.length);
  const settle = () => {
    for (const layer of layers) layer.forEach((node, at) => (place[node] = at));
  };
  settle();
  let best = layers.map((layer) => [...layer]);
  let fewest = crossingsOf(layers, down, place);
  let idle = 0;
  for (let sweep = 0; fewest > 0 && idle < 6 && sweep < 40 && performance.now() < until; sweep += 1) {
    const forward = sweep % 2 === 0;
    for (let step = 1; step < layers.length; step += 1) {
      const layer = layers[forward ? step : layers.length - 1 - step] as number[];
      arrange(layer, forward ? up : down, place, group, sweep % 4 < 2);
      layer.forEach((node, at) => (place[node] = at));
    }
    if (performance.now() < until) swap(layers, down, up, place);
    const now = crossingsOf(layers, down, place);
    if (now < fewest) {
      fewest = now;
      best = layers.map((layer) => [...layer]);
      idle = 0;
    } else idle += 1;
  }
  layers.forEach((layer, at) => layer.splice(0, layer.length, ...(best[at] as number[])));
  return fewest;
}

function arrange(layer: number[], sides: number[][], place: Float64Array, group: number[], median: boolean): void {
  const wish = new Map<number, number>();
  layer.forEach((node, at) => {
    const around = (sides[node] as number[]).map((other) => place[other] as number);
    if (!around.length) wish.set(node, at);
    else if (median) {
      around.sort((a, b) => a - b);
      const half = around.length >> 1;
      wish.set(node, around.length % 2 ? (around[half] as number) : ((around[half - 1] as number) + (around[half] as number)) / 2);
    } else wish.set(node, around.reduce((sum, each) => sum + each, 0) / around.length);
  });
  const sums = new Map<number, [number, number]>();
  for (const node of layer) {
    const of = group[node] as number;
    if (of < 0) continue;
    const sum = sums.get(of) ?? [0, 0];
    sums.set(of, [sum[0] + (wish.get(node) as number), sum[1] + 1]);
  }
  const outer = (node: number) => {
    const sum = sums.get(group[node] as number);
    return sum ? sum[0] / sum[1] : (wish.get(node) as number);
  };
  layer.sort((a, b) => outer(a) - outer(b) || (group[a] as number) - (group[b] as number) || (wish.get(a) as number) - (wish.get(b) as number) || (place[a] as number) - (place[b] as number));
}

/** Neighbours change places where that takes crossings away. */
function swap(layers: number[][], down: number[][], up: number[][], place: Float64Array): void {
  const between = (first: number[], second: number[]): [number, number] => {
    let straight = 0;
    let crossed = 0;
    for (const a of first)
      for (const b of second) {
        if ((place[a] as number) > (place[b] as number)) straight += 1;
        else if ((place[a] as number) < (place[b] as number)) crossed += 1;
      }
    return [straight, crossed];
  };
  for (const layer of layers) {
    if (layer.length > 400) continue;
    for (let at = 0; at + 1 < layer.length; at += 1) {
      const a = layer[at] as number;
      const b = layer[at + 1] as number;
      if ((up[a] as number[]).length * (up[b] as number[]).length + (down[a] as number[]).length * (down[b] as number[]).length > 400) continue;
      const above = between(up[a] as number[], up[b] as number[]);
      const below = between(down[a] as number[], down[b] as number[]);
      if (above[0] + below[0] > above[1] + below[1]) {
        layer[at] = b;
        layer[at + 1] = a;
        place[b] = at;
        place[a] = at + 1;
      }
    }
  }
}

/** How many pairs of edges cross, by counting with a tree of sums. */
export function crossingsOf(layers: number[][], down: number[][], place: Float64Array): number {
  let total = 0;
  for (let at = 0; at + 1 < layers.length; at += 1) {
    const size = (layers[at + 1] as number[]).length;
    const tree = new Int32Array(size + 1);
    let seen = 0;
    for (const node of layers[at] as number[]) {
      const ends = (down[node] as number[]).map((to) => place[to] as number).sort((a, b) => a - b);
      for (const end of ends) {
        let before = 0;
        for (let index = end + 1; index > 0; index -= index & -index) before += tree[index] as number;
        total += seen - before;
      }
      for (const end of ends) {
        for (let index = end + 1; index <= size; index += index & -index) tree[index] = (tree[index] as number) + 1;
        seen += 1;
      }
    }
  }
  return total;
}

function coordinates(layers: number[][], down: number[][], up: number[][], count: number, room: (node: number) => number, between: (a: number, b: number) => number): Float64Array {
  const y = new Float64Array(count);
  for (const layer of layers) {
    let at = 0;
    for (const node of layer) {
      y[node] = at + room(node) / 2;
      at += room(node);
    }
  }
  const middle = (nodes: number[]) => nodes.reduce((sum, node) => sum + (y[node] as number), 0) / nodes.length;
  for (let round = 0; round < 10; round += 1) {
    const forward = round % 2 === 0;
    for (let step = 0; step < layers.length; step += 1) {
      const layer = layers[forward ? step : layers.length - 1 - step] as number[];
      const wishes = layer.map((node) => {
        const near = (forward ? up[node] : down[node]) as number[];
        const far = (forward ? down[node] : up[node]) as number[];
        if (round > 5 && near.length && far.length) return (middle(near) + middle(far)) / 2;
        return near.length ? middle(near) : far.length && round > 0 ? middle(far) : (y[node] as number);
      });
      const placed = pool(wishes, layer.map(room), layer.map((node, at) => (at ? between(layer[at - 1] as number, node) : 0)));
      layer.forEach((node, at) => (y[node] = placed[at] as number));
    }
  }
  let least = Infinity;
  for (let node = 0; node < count; node += 1) least = Math.min(least, (y[node] as number) - room(node) / 2);
  for (let node = 0; node < count; node += 1) y[node] = (y[node] as number) - least;
  return y;
}

/** Places nearest to the wishes (least squares) that keep order and distance: neighbours that violate it move as one. */
export function pool(wishes: number[], rooms: number[], gaps: number[] = []): number[] {
  const offsets: number[] = [];
  let at = 0;
  rooms.forEach((room, place) => {
    at += place ? ((rooms[place - 1] as number) + room) / 2 + (gaps[place] ?? 0) : 0;
    offsets.push(at);
  });
  const blocks: { sum: number; count: number }[] = [];
  wishes.forEach((wish, place) => {
    blocks.push({ sum: wish - (offsets[place] as number), count: 1 });
    while (blocks.length > 1) {
      const last = blocks.at(-1) as { sum: number; count: number };
      const before = blocks.at(-2) as { sum: number; count: number };
      if (before.sum / before.count <= last.sum / last.count) break;
      blocks.pop();
      before.sum += last.sum;
      before.count += last.count;
    }
  });
  const placed: number[] = [];
  for (const block of blocks) for (let each = 0; each < block.count; each += 1) placed.push(block.sum / block.count + (offsets[placed.length] as number));
  return placed;
}
