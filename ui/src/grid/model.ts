// The grid as data: rows are the tree of groups and tasks, columns are runs, a cell is one byte. Knows no framework.

export const STATE = 0x0f;
export const ABSENT = 0x0f;
export const MORE_TRIES = 0x10;
export const SEVERAL = 0x20;
const FAILED = 13;
const PROBLEM = 11;

/** [id, label, depth, kind (1: group), operator, mapped, mark] */
export type Row = [string, string, number, 0 | 1, string, boolean, string];

export interface Answer<Run extends { key: string }> {
  version: string;
  order: string[] | null;
  tree?: Row[];
  gone: string[];
  runs: Run[];
  cells: string;
}

export class GridModel<Run extends { key: string; run_id: string }> {
  version = "";
  order: string[] = [];
  tree: Row[] = [];
  /** Newest last: columns from left to right. */
  runs: Run[] = [];
  private ends: number[] = [];
  private leaf: Int32Array = new Int32Array(0);
  private place = new Map<string, number>();
  private rowAt = new Map<string, number>();
  private column = new Map<string, number>();
  private width = 0;
  private cells = new Uint8Array(0);

  /** Take what the server told; the rows are kept when it left them out. */
  load(answer: Answer<Run>): void {
    if (answer.order && answer.tree) {
      this.version = answer.version;
      this.order = answer.order;
      this.tree = answer.tree;
    }
    const order = [...this.order, ...answer.gone];
    const tree: Row[] = [...this.tree, ...answer.gone.map((id): Row => [id, id, 0, 0, "", false, "gone"])];
    this.index(order, tree);
    const raw = atob(answer.cells);
    const count = answer.runs.length;
    this.width = order.length;
    this.cells = new Uint8Array(count * this.width);
    this.runs = [...answer.runs].reverse();
    for (let run = 0; run < count; run += 1) {
      const from = (count - 1 - run) * this.width;
      for (let task = 0; task < this.width; task += 1) this.cells[run * this.width + task] = raw.charCodeAt(from + task);
    }
    this.column = new Map(this.runs.map((run, at) => [run.key, at]));
  }

  private rows: Row[] = [];
  private index(order: string[], tree: Row[]): void {
    this.rows = tree;
    this.place = new Map(order.map((id, at) => [id, at]));
    this.rowAt = new Map(tree.map((row, at) => [row[0], at]));
    this.leaf = new Int32Array(tree.length).fill(-1);
    this.ends = new Array<number>(tree.length).fill(0);
    const open: number[] = [];
    tree.forEach((row, at) => {
      while (open.length && (tree[open.at(-1) as number] as Row)[2] >= row[2]) this.ends[open.pop() as number] = at;
      if (row[3] === 1) open.push(at);
      else {
        this.leaf[at] = this.place.get(row[0]) ?? -1;
        this.ends[at] = at + 1;
      }
    });
    while (open.length) this.ends[open.pop() as number] = tree.length;
  }

  get size(): number {
    return this.rows.length;
  }
  row(at: number): Row {
    return this.rows[at] as Row;
  }
  rowOf(id: string): number {
    return this.rowAt.get(id) ?? -1;
  }
  columnOf(runId: string): number {
    return this.runs.findIndex((run) => run.run_id === runId);
  }

  /** The byte of a cell; of a group the worst of its tasks. */
  cell(row: number, run: number): number {
    const leaf = this.leaf[row] as number;
    if (leaf >= 0) return this.cells[run * this.width + leaf] ?? ABSENT;
    let worst = ABSENT;
    for (let at = row + 1; at < (this.ends[row] as number); at += 1) {
      const inside = this.leaf[at] as number;
      if (inside < 0) continue;
      const byte = this.cells[run * this.width + inside] ?? ABSENT;
      if ((byte & STATE) !== ABSENT && ((worst & STATE) === ABSENT || (byte & STATE) > (worst & STATE))) worst = byte;
    }
    return worst === ABSENT ? ABSENT : (worst & STATE) | SEVERAL;
  }

  /** Rows that are shown, in order. */
  visible(collapsed: ReadonlySet<string>, problems: boolean, text: string): number[] {
    const wanted = text.toLowerCase();
    const shown: number[] = [];
    const keep = (at: number): boolean => {
      const row = this.row(at);
      if (wanted && row[3] === 0 && !row[0].toLowerCase().includes(wanted)) return false;
      return !problems || this.hasProblem(at);
    };
    for (let at = 0; at < this.rows.length; at += 1) {
      const row = this.row(at);
      if (row[3] === 1) {
        const end = this.ends[at] as number;
        if (wanted || problems) {
          let any = false;
          for (let inside = at + 1; inside < end && !any; inside += 1) any = this.row(inside)[3] === 0 && keep(inside);
          if (!any) {
            at = end - 1;
            continue;
          }
        }
        shown.push(at);
        if (collapsed.has(row[0]) && !wanted) at = end - 1;
      } else if (keep(at)) shown.push(at);
    }
    return shown;
  }

  /** Whether a task failed, or is about to be tried again, in a run in sight. */
  hasProblem(row: number): boolean {
    for (let run = 0; run < this.runs.length; run += 1) {
      const state = this.cell(row, run) & STATE;
      if (state >= PROBLEM && state <= FAILED) return true;
    }
    return false;
  }

  /** The tasks of a row: of a group all that are in it. */
  tasksOf(row: number): string[] {
    const found: string[] = [];
    for (let at = row; at < (this.ends[row] as number); at += 1) if (this.row(at)[3] === 0) found.push(this.row(at)[0]);
    return found;
  }

  /** Groups that begin closed when there are many rows. */
  closed(): string[] {
    return this.rows.length > 200 ? this.rows.filter((row) => row[3] === 1).map((row) => row[0]) : [];
  }

  /** A state that changed; false when its cell is not here. Several instances in one cell cannot be told apart. */
  patch(key: string, task: string, code: number, tries: number): boolean {
    const run = this.column.get(key);
    const leaf = this.place.get(task);
    if (run === undefined || leaf === undefined) return false;
    const at = run * this.width + leaf;
    const several = (this.cells[at] ?? 0) & SEVERAL;
    if (((this.cells[at] ?? ABSENT) & STATE) === ABSENT || !several) this.cells[at] = code | (tries > 1 ? MORE_TRIES : 0);
    return !several;
  }

  /** A run that changed or is new; new ones come last. */
  putRun(run: Run): void {
    const at = this.column.get(run.key);
    if (at !== undefined) {
      this.runs[at] = run;
      return;
    }
    if (this.runs.length && run.key < (this.runs.at(-1) as Run).key) return;
    const cells = new Uint8Array((this.runs.length + 1) * this.width).fill(ABSENT);
    cells.set(this.cells.subarray(0, this.runs.length * this.width));
    this.cells = cells;
    this.runs = [...this.runs, run];
    this.column.set(run.key, this.runs.length - 1);
  }

  /** The next cell with a failure from here, along the rows of a run and then the runs before it. */
  nextFailure(shown: readonly number[], row: number, run: number, step: 1 | -1): [number, number] | null {
    const total = shown.length * this.runs.length;
    const from = (this.runs.length - 1 - run) * shown.length + Math.max(0, shown.indexOf(row));
    for (let offset = 1; offset <= total; offset += 1) {
      const at = (((from + step * offset) % total) + total) % total;
      const column = this.runs.length - 1 - Math.floor(at / shown.length);
      const line = shown[at % shown.length] as number;
      if (this.row(line)[3] === 0 && (this.cell(line, column) & STATE) === FAILED) return [line, column];
    }
    return null;
  }
}
