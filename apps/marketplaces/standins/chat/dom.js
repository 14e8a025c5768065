/* Building and keeping DOM nodes. Text always enters as text: nothing here parses HTML. */

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** A new element; `props` are properties, except `data-*`, `aria-*` and `role`, which are attributes. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.includes("-") || name === "role") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** A symbol of the page's sprite; with a label it speaks, without it is decoration. */
export function icon(name, label = "") {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else {
    svg.setAttribute("aria-hidden", "true");
  }
  return svg;
}

/** Make `nodes` the children of `parent`, touching only what differs, so that focus and selection survive. */
export function reconcile(parent, nodes) {
  let at = parent.firstChild;
  for (const node of nodes) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
  while (at) {
    const following = at.nextSibling;
    at.remove();
    at = following;
  }
}

/** Nodes by key: made once, made again when their stamp changes, with the focus kept in its place. */
export class Keeper {
  known = new Map();

  node(key, stamp, make) {
    const before = this.known.get(key);
    if (before?.stamp === stamp) return before.node;
    const node = make();
    if (before) swap(before.node, node);
    this.known.set(key, { node, stamp });
    return node;
  }

  get(key) {
    return this.known.get(key)?.node;
  }

  clear() {
    this.known.clear();
  }
}

function swap(old, node) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  old.replaceWith(node);
  if (!focused) return;
  const same = focused.dataset.data && node.querySelector(`[data-data="${CSS.escape(focused.dataset.data)}"]`);
  (same || node).focus({ preventScroll: true });
}
