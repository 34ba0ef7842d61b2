import { type Path, showPath } from './edit.ts';

/** A place that is written in a way that cannot be changed alone; nothing was changed. */
export class CannotEditError extends Error {
  readonly code = 'CONFIG_NOT_EDITABLE';
}

/** Such a place, and why it is one. */
export function cannotEdit(path: Path, why = shared): CannotEditError {
  return new CannotEditError(
    `${showPath(path)} is written in a way that cannot be changed by itself (${why})`,
  );
}

const shared = 'an anchor, an alias, a merge or a tag';
