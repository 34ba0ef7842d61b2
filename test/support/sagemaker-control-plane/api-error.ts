/** An error that the control plane answers with; all that AWS JSON 1.1 has are HTTP 400. */
export class ApiError extends Error {
  readonly code: string;

  /** @param code the name by which the SDK knows it, `ConflictException` */
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The body of an error. Those of SageMaker's own model write `Message`, AWS's common ones `message`. */
export function errorBody({ code, message }: { code: string; message: string }): string {
  const own = ['ConflictException', 'ResourceNotFound', 'ResourceLimitExceeded'];
  return JSON.stringify({ __type: code, [own.includes(code) ? 'Message' : 'message']: message });
}
