import type { FieldAction, FieldRule } from './redaction-options.ts';

/** The rules below a place in `call.json`. */
export interface FieldNode {
  action?: FieldAction;
  members: Map<string, FieldNode>;
  /** `*`, and `[]`. */
  anyMember?: FieldNode;
  anyElement?: FieldNode;
}

/**
 * Places where LiteLLM writes the same twice: a rule for one is a rule for both, or what it was to
 * remove would be found in the other.
 */
const twins: readonly (readonly [string, string])[] = [
  ['context.error_information.error_message', 'context.error_str'],
  ['context.end_user', 'context.metadata.user_api_key_end_user_id'],
  ['context.requester_ip_address', 'context.metadata.requester_ip_address'],
  ['context.user_agent', 'context.metadata.user_agent'],
  ['context.session_id', 'context.metadata.requester_metadata.session_id'],
  ['context.api_base', 'context.hidden_params.api_base'],
];

/** The rules as a tree that is walked beside a call. Of two rules for one place the first counts. */
export function fieldTree(rules: readonly FieldRule[]): FieldNode | undefined {
  if (rules.length === 0) return undefined;
  const root: FieldNode = { members: new Map() };
  for (const { path, action } of rules) {
    for (const place of placesOf(path)) {
      const node = place.reduce(childFor, root);
      node.action ??= action;
    }
  }
  return root;
}

function placesOf(path: readonly string[]): (readonly string[])[] {
  const written = path.join('.');
  const others = twins.flatMap(([one, other]) => {
    if (written === one) return [other];
    return written === other ? [one] : [];
  });
  return [path, ...others.map((place) => place.split('.'))];
}

function childFor(node: FieldNode, step: string): FieldNode {
  if (step === '*') {
    node.anyMember ??= { members: new Map() };
    return node.anyMember;
  }
  if (step === '[]') {
    node.anyElement ??= { members: new Map() };
    return node.anyElement;
  }
  const known = node.members.get(step) ?? { members: new Map() };
  node.members.set(step, known);
  return known;
}

/** What holds for a member: its own rules and those of `*` together, its own first. */
export function memberNode(node: FieldNode | undefined, name: string): FieldNode | undefined {
  if (node === undefined) return undefined;
  return both(node.members.get(name), node.anyMember);
}

function both(one: FieldNode | undefined, other: FieldNode | undefined): FieldNode | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const members = new Map(one.members);
  for (const [name, node] of other.members) {
    members.set(name, both(one.members.get(name), node) ?? node);
  }
  const action = one.action ?? other.action;
  const anyMember = both(one.anyMember, other.anyMember);
  const anyElement = both(one.anyElement, other.anyElement);
  return {
    members,
    ...(action && { action }),
    ...(anyMember && { anyMember }),
    ...(anyElement && { anyElement }),
  };
}
