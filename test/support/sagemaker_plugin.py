"""Writes a run through Amazon's plugin `sagemaker-mlflow` and reads it back; prints what it read.

The tracking URI is the ARN in MLFLOW_TRACKING_URI. Where MLflow refuses, that is printed instead.
"""

import json
import sys

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

# What a signature can go wrong over: a space, a plus, signs that some clients encode and others do not.
HOSTILE = "a b+c é/%41 '*!~()"


def write_and_read(experiment_name: str) -> dict:
    client = MlflowClient()
    mlflow.set_experiment(experiment_name)
    with mlflow.start_run(run_name=HOSTILE) as run:
        mlflow.log_params({"model": HOSTILE})
        mlflow.log_metric("tokens in total", 12.5, step=3)
        mlflow.set_tag("note", HOSTILE)
        mlflow.log_text(HOSTILE, "folder/call.json")
    run_id = run.info.run_id
    found = client.search_runs(
        [run.info.experiment_id], f'tags.note = "{HOSTILE}" and params.model = "{HOSTILE}"'
    )
    read = client.get_run(run_id)
    history = client.get_metric_history(run_id, "tokens in total")
    return {
        "found": [one.info.run_id == run_id for one in found],
        "name": read.info.run_name,
        "status": read.info.status,
        "params": read.data.params,
        "note": read.data.tags["note"],
        "history": [[point.value, point.step] for point in history],
        "artifacts": [item.path for item in client.list_artifacts(run_id, "folder")],
        "artifactUri": read.info.artifact_uri,
    }


try:
    print("RESULT " + json.dumps(write_and_read(sys.argv[1])))
except MlflowException as error:
    print("RESULT " + json.dumps({"error": str(error)}))
