import type { Fields } from '../call/fields.ts';
import type { Slice } from '../call/json-bytes.ts';
import { type BatchElement, readBatch, type UnusableReason } from '../call/read-batch.ts';
import type { Admission, AdmittedCall } from './admit-call.ts';
import type { Redactor } from './vet-texts.ts';

/** One element of a posted body, as it may go to disk. */
export type AdmittedElement =
  | { kind: 'call'; call: AdmittedCall }
  | { kind: 'unusable'; slice: Slice; reason: UnusableReason | 'internal_error' };

/** The elements of a body in their order, each made when it is asked for. */
export function* admitBody(
  admission: Admission,
  body: Buffer,
  receivedAt: number,
): Generator<AdmittedElement> {
  for (const element of readBatch(body)) {
    yield element.kind === 'call'
      ? admitted(element.slice, () => admission.admit(element.payload, receivedAt))
      : unusable(element);
  }
}

/** The same with the texts of each call shown to the external redactor, many at once. */
export function admitVettedBody(
  admission: Admission,
  body: Buffer,
  receivedAt: number,
  redactor: Redactor,
): Promise<AdmittedElement[]> {
  const vetted = async (slice: Slice, payload: Fields): Promise<AdmittedElement> => {
    try {
      return { kind: 'call', call: await admission.admitVetted(payload, receivedAt, redactor) };
    } catch (error) {
      return unbearable(slice, error);
    }
  };
  return Promise.all(
    Array.from(readBatch(body), (element) =>
      element.kind === 'call' ? vetted(element.slice, element.payload) : unusable(element),
    ),
  );
}

function admitted(slice: Slice, admit: () => AdmittedCall): AdmittedElement {
  try {
    return { kind: 'call', call: admit() };
  } catch (error) {
    return unbearable(slice, error);
  }
}

function unusable({ slice, reason }: Extract<BatchElement, { kind: 'unusable' }>): AdmittedElement {
  return { kind: 'unusable', slice, reason };
}

/**
 * The only thing about a JSON object that admission is known not to bear is a nesting beyond the
 * stack. Whatever else it may be, it must not cost the other calls of the batch.
 */
function unbearable(slice: Slice, error: unknown): AdmittedElement {
  const reason = error instanceof RangeError ? 'too_deep' : 'internal_error';
  return { kind: 'unusable', slice, reason };
}
