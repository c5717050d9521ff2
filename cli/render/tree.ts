/** The plan as a tree: every subtask hangs under the deepest of its dependencies; the others are named beside it. */

export interface TreeNode {
  id: string;
  depends_on: string[];
}

export interface TreeRow<Node> {
  node: Node;
  /** `│  └─ ` and the like. */
  branch: string;
  /** Dependencies that the branch does not show. */
  also: string[];
}

/** Deeper levels are drawn at this one, so that a chain of a thousand stays on the screen. */
const MAX_INDENT = 8;

/** Rows from top to bottom. Unknown and circular dependencies are ignored. */
export function treeRows<Node extends TreeNode>(nodes: Node[]): TreeRow<Node>[] {
  const byId = new Map(nodes.map(node => [node.id, node]));
  const depth = depthsOf(nodes);
  const children = new Map<string | null, Node[]>();
  const parentOf = new Map<string, string | null>();
  for (const node of nodes) {
    const shallower = node.depends_on.filter(id => byId.has(id) && depth.get(id)! < depth.get(node.id)!);
    const parent = shallower.reduce<string | null>(
      (best, id) => (best === null || depth.get(id)! > depth.get(best)! ? id : best),
      null,
    );
    parentOf.set(node.id, parent);
    children.set(parent, [...(children.get(parent) ?? []), node]);
  }
  const rows: TreeRow<Node>[] = [];
  const stack: { node: Node; trunk: string; last: boolean; level: number }[] = [];
  const push = (parent: string | null, trunk: string, level: number) => {
    const below = children.get(parent) ?? [];
    for (let i = below.length - 1; i >= 0; i--)
      stack.push({ node: below[i]!, trunk, last: i === below.length - 1, level });
  };
  push(null, '', 0);
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { node, trunk, last, level } = top;
    const parent = parentOf.get(node.id) ?? null;
    rows.push({
      node,
      branch: `${trunk}${last ? '└─ ' : '├─ '}`,
      also: node.depends_on.filter(id => id !== parent && byId.has(id)),
    });
    push(node.id, level + 1 >= MAX_INDENT ? trunk : `${trunk}${last ? '   ' : '│  '}`, level + 1);
  }
  return rows;
}

/** Steps on the longest way from a root to each node, by passes over the nodes (Kahn), so that a long chain does not exhaust the stack. */
export function depthsOf<Node extends TreeNode>(nodes: Node[]): Map<string, number> {
  const byId = new Map(nodes.map(node => [node.id, node]));
  const depth = new Map<string, number>();
  const open = new Map<string, number>();
  const dependents = new Map<string, Node[]>();
  for (const node of nodes) {
    const known = node.depends_on.filter(id => byId.has(id));
    open.set(node.id, known.length);
    for (const id of known) dependents.set(id, [...(dependents.get(id) ?? []), node]);
  }
  const ready = nodes.filter(node => open.get(node.id) === 0);
  for (const node of ready) depth.set(node.id, 0);
  for (let i = 0; i < ready.length; i++) {
    const node = ready[i]!;
    for (const next of dependents.get(node.id) ?? []) {
      depth.set(next.id, Math.max(depth.get(next.id) ?? 0, depth.get(node.id)! + 1));
      const left = open.get(next.id)! - 1;
      open.set(next.id, left);
      if (left === 0) ready.push(next);
    }
  }
  // What is left stands in a cycle; it is drawn at the top rather than lost.
  for (const node of nodes) if (open.get(node.id)! > 0) depth.set(node.id, 0);
  return depth;
}
