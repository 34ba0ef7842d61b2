import { ApiError } from './api-error.ts';
import type { Constraint, Input, Structure } from './constraint.ts';

/**
 * Holds an input against the model. Throws a `ValidationException` in AWS's words that names everything
 * that is out of range, or a `SerializationException` for a value of the wrong type.
 */
export function validate(input: unknown, structure: Structure): Input {
  if (!isObject(input)) throw new ApiError('SerializationException', 'Expected an object.');
  const errors = complaints(input, structure, '');
  if (errors.length === 0) return input;
  const plural = errors.length === 1 ? 'error' : 'errors';
  const text = `${errors.length} validation ${plural} detected: ${errors.join('; ')}`;
  throw new ApiError('ValidationException', text);
}

function complaints(value: unknown, constraint: Constraint, at: string): string[] {
  const wrong = (what: string) => [
    `Value '${value}' at '${at}' failed to satisfy constraint: ${what}`,
  ];
  switch (constraint.type) {
    case 'structure':
      if (!isObject(value)) throw mistyped(at);
      return [
        ...constraint.required
          .filter((name) => value[name] == null)
          .map((name) => {
            const path = within(at, name);
            return `Value null at '${path}' failed to satisfy constraint: Member must not be null`;
          }),
        ...Object.entries(constraint.members).flatMap(([name, member]) =>
          value[name] == null ? [] : complaints(value[name], member, within(at, name)),
        ),
      ];
    case 'list': {
      if (!Array.isArray(value)) throw mistyped(at);
      const { of, max = Number.POSITIVE_INFINITY } = constraint;
      if (value.length > max) return wrong(`Member must have length less than or equal to ${max}`);
      return value.flatMap((item, index) => complaints(item, of, `${at}.${index + 1}.member`));
    }
    case 'integer':
      if (!Number.isInteger(value)) throw mistyped(at);
      if (Number(value) < constraint.min) {
        return wrong(`Member must have value greater than or equal to ${constraint.min}`);
      }
      if (Number(value) > constraint.max) {
        return wrong(`Member must have value less than or equal to ${constraint.max}`);
      }
      return [];
    case 'string': {
      if (typeof value !== 'string') throw mistyped(at);
      const { pattern, min = 0, max = Number.POSITIVE_INFINITY, values } = constraint;
      if (values !== undefined && !values.includes(value)) {
        return wrong(`Member must satisfy enum value set: [${values.join(', ')}]`);
      }
      if (value.length < min)
        return wrong(`Member must have length greater than or equal to ${min}`);
      if (value.length > max) return wrong(`Member must have length less than or equal to ${max}`);
      if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`, 'u').test(value)) {
        return wrong(`Member must satisfy regular expression pattern: ${pattern}`);
      }
      return [];
    }
    case 'boolean':
      if (typeof value !== 'boolean') throw mistyped(at);
      return [];
    case 'timestamp':
      if (typeof value !== 'number') throw mistyped(at);
      return [];
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mistyped(at: string): ApiError {
  return new ApiError('SerializationException', `The value at '${at}' is of the wrong type.`);
}

/** AWS names members in its messages with a small first letter. */
function within(at: string, name: string): string {
  const member = name.charAt(0).toLowerCase() + name.slice(1);
  return at === '' ? member : `${at}.${member}`;
}
