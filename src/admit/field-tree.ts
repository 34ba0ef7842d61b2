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
  const add = (path: readonly string[], action: FieldAction) => {
    const node = path.reduce(childFor, root);
    node.action ??= action;
  };
  for (const { path, action } of rules) {
    add(path, action);
    for (const twin of twinsOf(path, isSame)) add(twin, action);
  }
  // After what is said of the places themselves.
  for (const { path, action } of rules) {
    for (const twin of twinsOf(path, covers)) add(twin, action);
  }
  return root;
}

type Steps = readonly string[];

const twinSteps = twins.map(([one, other]) => [one.split('.'), other.split('.')] as const);

/** The other places of what stands at those that `path` leads to. */
function twinsOf(path: Steps, leadsTo: (path: Steps, place: Steps) => boolean): Steps[] {
  return twinSteps.flatMap(([one, other]) => {
    if (leadsTo(path, one)) return [other];
    return leadsTo(path, other) ? [one] : [];
  });
}

function isSame(path: Steps, place: Steps): boolean {
  return path.length === place.length && path.every((step, index) => step === place[index]);
}

/** Whether a rule for `path` takes `place` with it, by what it is in or as any member. */
function covers(path: Steps, place: Steps): boolean {
  return (
    path.length <= place.length &&
    path.every((step, index) => step === '*' || step === place[index])
  );
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
