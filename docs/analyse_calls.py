"""What a day's calls cost by team, which models were slow, and which errors came, from MLflow's tables.

    pip install mlflow
    python docs/analyse_calls.py 2026-11-24 --experiment /litellm-monitoring/calls

The tracking server is that of MLFLOW_TRACKING_URI. For a SageMaker tracking server, install
sagemaker-mlflow, too, and set MLFLOW_TRACKING_URI to its ARN.
"""

import argparse
import datetime
import sys
import warnings

import mlflow
import pandas as pd

# pandas warns of columns that are empty in one of the tables that load_table puts together.
warnings.simplefilter("ignore", FutureWarning)

# load_table names all runs in one filter, and asks for one table after the other.
RUNS_AT_ONCE = 50


def chunks_of(client, experiment_id, day):
    """The ids of the runs that hold the calls of a day (UTC), by when the first of each was received."""
    start = datetime.datetime.combine(day, datetime.time(), datetime.timezone.utc)
    begin, end = (int(moment.timestamp() * 1000) for moment in (start, start + datetime.timedelta(days=1)))
    # A chunk is up to 15 minutes long: one that began before midnight may hold calls of this day.
    wanted = (
        "tags.`sidecar.record` = 'chunk' AND attributes.status = 'FINISHED' "
        f"AND attributes.start_time >= {begin - 15 * 60_000} AND attributes.start_time < {end}"
    )
    ids, token = [], None
    while True:
        page = client.search_runs([experiment_id], wanted, max_results=1000, page_token=token)
        # A table that the artifact store would not take is left out, and the run says so.
        ids += [run.info.run_id for run in page if "calls.json" not in run.data.tags.get("sidecar.shed", "").split(",")]
        token = page.token
        if not token:
            return ids


def calls_of(day, experiment):
    """All calls that began on a day (UTC), a row each."""
    client = mlflow.MlflowClient()
    found = client.get_experiment_by_name(experiment)
    if found is None:
        sys.exit(f"There is no experiment {experiment}.")
    ids = chunks_of(client, found.experiment_id, day)
    tables = [
        client.load_table(found.experiment_id, "calls.json", run_ids=ids[at : at + RUNS_AT_ONCE])
        for at in range(0, len(ids), RUNS_AT_ONCE)
    ]
    if not tables:
        sys.exit(f"No calls of {day} are in {experiment}.")
    calls = pd.concat(tables, ignore_index=True)
    calls["time"] = pd.to_datetime(calls["time"], format="ISO8601", utc=True)
    return calls[calls["time"].dt.date == day]


def cost_by_team(calls):
    by_team = calls.groupby(calls["team_alias"].fillna(calls["team_id"]).fillna("(none)"))
    return by_team.agg(calls=("status", "size"), total_tokens=("total_tokens", "sum"), cost_usd=("cost_usd", "sum")).sort_values(
        "cost_usd", ascending=False
    )


def slowest_models(calls):
    # An answer from the cache says nothing of a model.
    answered = calls[(calls["status"] == "success") & ~calls["cache_hit"].astype(bool)]
    latency = answered.groupby(answered["model_group"].fillna(answered["model"]))["latency_ms"]
    return pd.DataFrame({"calls": latency.size(), "p50_ms": latency.median(), "p95_ms": latency.quantile(0.95)}).sort_values(
        "p95_ms", ascending=False
    )


def errors_by_type(calls):
    failed = calls[calls["status"] == "failure"]
    return failed.groupby(["error_type", "error_class"], dropna=False).size().rename("calls").sort_values(ascending=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("day", type=datetime.date.fromisoformat, help="such as 2026-11-24, in UTC")
    parser.add_argument("--experiment", default="/litellm-monitoring/calls", help="default: %(default)s")
    options = parser.parse_args()
    calls = calls_of(options.day, options.experiment)
    print(f"{len(calls)} calls on {options.day}\n")
    for title, answer in (
        ("Cost by team (LiteLLM's estimate)", cost_by_team(calls)),
        ("Slowest models", slowest_models(calls)),
        ("Errors by type", errors_by_type(calls)),
    ):
        print(f"{title}\n{answer.to_string() if len(answer) else '(none)'}\n")


if __name__ == "__main__":
    main()
