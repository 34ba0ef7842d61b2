import { ApiError } from './api-error.ts';
import type { Input } from './constraint.ts';

/** What both kinds of resources can be listed by. */
export interface Listed {
  readonly name: string;
  readonly status: string;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** What a list request without `MaxResults` gets at most. */
const pageSize = 10;

/**
 * One page of those that a List request asks for, newest first unless it says otherwise, and the token
 * of the next page.
 */
export function listPage<T extends Listed>(
  all: readonly T[],
  input: Input,
  status: unknown,
): { readonly page: readonly T[]; readonly next: { readonly NextToken?: string } } {
  const { CreatedAfter = 0, CreatedBefore = Number.POSITIVE_INFINITY, MlflowVersion } = input;
  const { SortBy, SortOrder = 'Descending', MaxResults = pageSize, NextToken } = input;
  const order = SortOrder === 'Ascending' ? 1 : -1;
  const wanted = all
    .filter(({ createdAt }) => createdAt / 1000 >= Number(CreatedAfter))
    .filter(({ createdAt }) => createdAt / 1000 <= Number(CreatedBefore))
    .filter((one) => MlflowVersion === undefined || one.version === MlflowVersion)
    .filter((one) => status === undefined || one.status === status)
    .sort((a, b) => order * compare(a, b, SortBy));
  const from = NextToken === undefined ? 0 : readToken(NextToken);
  const to = from + Number(MaxResults);
  const next = to < wanted.length ? { NextToken: writeToken(to) } : {};
  return { page: wanted.slice(from, to), next };
}

function compare(a: Listed, b: Listed, by: unknown): number {
  if (by === 'Name') return a.name < b.name ? -1 : 1;
  if (by === 'Status' && a.status !== b.status) return a.status < b.status ? -1 : 1;
  return a.createdAt - b.createdAt;
}

function writeToken(position: number): string {
  return Buffer.from(`from ${position}`).toString('base64');
}

function readToken(token: unknown): number {
  const [, position] = /^from (\d+)$/.exec(Buffer.from(String(token), 'base64').toString()) ?? [];
  if (position === undefined) throw new ApiError('ValidationException', 'Invalid NextToken.');
  return Number(position);
}
