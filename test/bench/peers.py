"""Logs calls to MLflow as people do it by hand, one run a call.

    python peers.py fluent|client CALLS.json

`fluent` is mlflow.start_run with its log calls, `client` is MlflowClient; both log the same. The
tracking server is MLFLOW_TRACKING_URI. Prints the seconds that it took.
"""

import json
import sys
import time

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient


def content(call):
    """Params, metrics and tags of a call of LiteLLM's, and the whole of it."""
    who = call["metadata"]
    params = {"model": call["model"], "api_base": call["api_base"], **call["model_parameters"]}
    metrics = {
        "latency_ms": (call["endTime"] - call["startTime"]) * 1000,
        "prompt_tokens": call["prompt_tokens"],
        "completion_tokens": call["completion_tokens"],
        "total_tokens": call["total_tokens"],
        "cost_usd": call["response_cost"] or 0.0,
    }
    tags = {
        "status": call["status"],
        "request_id": call["litellm_call_id"],
        "user_id": who.get("user_api_key_user_id") or "",
        "team_alias": who.get("user_api_key_team_alias") or "",
        "cache_hit": str(bool(call["cache_hit"])),
    }
    whole = {"request": call["messages"], "response": call["response"]}
    return params, metrics, tags, whole


def fluent(calls, experiment):
    mlflow.set_experiment(experiment)
    for call in calls:
        params, metrics, tags, whole = content(call)
        with mlflow.start_run(run_name=call["model_group"]):
            mlflow.log_params(params)
            mlflow.log_metrics(metrics)
            mlflow.set_tags(tags)
            mlflow.log_dict(whole, "call.json")


def client(calls, experiment):
    own = MlflowClient()
    experiment_id = own.create_experiment(experiment)
    for call in calls:
        params, metrics, tags, whole = content(call)
        run_id = own.create_run(experiment_id, run_name=call["model_group"]).info.run_id
        now = int(time.time() * 1000)
        own.log_batch(
            run_id,
            [Metric(name, value, now, 0) for name, value in metrics.items()],
            [Param(name, str(value)) for name, value in params.items()],
            [RunTag(name, value) for name, value in tags.items()],
        )
        own.log_dict(run_id, whole, "call.json")
        own.set_terminated(run_id)


if __name__ == "__main__":
    way, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        calls = json.load(file)
    began = time.monotonic()
    {"fluent": fluent, "client": client}[way](calls, f"/{way}")
    print(f"seconds {time.monotonic() - began}")
