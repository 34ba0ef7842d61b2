/** What the service's model says of a value. */
export type Constraint =
  | {
      readonly type: 'string';
      /** Has to match as a whole. */
      readonly pattern?: string;
      readonly min?: number;
      readonly max?: number;
      readonly values?: readonly string[];
    }
  | { readonly type: 'integer'; readonly min: number; readonly max: number }
  | { readonly type: 'boolean' | 'timestamp' }
  | { readonly type: 'list'; readonly of: Constraint; readonly max?: number }
  | Structure;

export interface Structure {
  readonly type: 'structure';
  readonly required: readonly string[];
  readonly members: Readonly<Record<string, Constraint>>;
}

export type Input = Readonly<Record<string, unknown>>;
