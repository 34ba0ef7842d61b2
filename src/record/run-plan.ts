/** What a call becomes in MLflow, as plain values; the serializer brings them within its limits. */
export interface RunPlan {
  /** By which the run is found: no other run has the same. */
  recordId: string;
  name: string;
  /** Unix milliseconds. */
  startTime: number;
  endTime: number;
  status: 'FINISHED' | 'FAILED';
  tags: Map<string, string>;
  params: Map<string, string>;
  metrics: Map<string, number>;
  /** Text of `traceback.txt`, where the call failed with one. */
  traceback?: string;
}

/** The tag by which a call's run is found again. */
export const recordIdTag = 'sidecar.record_id';
